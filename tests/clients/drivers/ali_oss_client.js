// Drives ali-oss, the SDK for Node. The lines are those of channel.py.
'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');
const OSS = require('ali-oss');
const { version } = require('ali-oss/package.json');
const { Lacks, serve } = require('./channel');

const bare = etag => (etag || '').replace(/"/g, '');
const range = span => (span ? `bytes=${span[0] ?? ''}-${span[1] ?? ''}` : null);
const META = 'x-oss-meta-';
// an empty prefix is left out: by V4 the client would sign `prefix=`, the other clients sign `prefix`
const below = prefix => (prefix ? { prefix } : {});
// what is not modified is no error to the client
const unchanged = ({ res }) => {
  if (res.status === 304) throw Object.assign(new Error('304'), { status: 304, code: 'NotModified' });
};
let client;
let bucket;

/** Options of a call: user metadata by its own option, the type too, every other header as it is. */
function options(headers, more = {}) {
  const rest = {};
  const meta = {};
  const found = { ...more };
  for (const [name, value] of Object.entries(headers || {})) {
    if (name.startsWith(META)) meta[name.slice(META.length)] = value;
    else if (name === 'content-type') found.mime = value;
    else rest[name] = value;
  }
  if (Object.keys(meta).length) found.meta = meta;
  return { ...found, headers: rest };
}

const own = headers =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(META))
      .map(([name, value]) => [name.slice(META.length), value])
  );

async function pages(ask) {
  const found = [];
  for (let next = {}; next; ) {
    const [items, following] = await ask(next);
    found.push(...items);
    next = following;
  }
  return found;
}

const verbs = {
  connect({ endpoint, id, secret, token, bucket: name, sign, style, region }) {
    bucket = name;
    client = new OSS({
      // beside an address the client sends a Host header that names the bucket, whatever the style
      endpoint: style === 'path' ? endpoint.replace('127.0.0.1', 'oss.localhost') : endpoint,
      accessKeyId: id,
      accessKeySecret: secret,
      stsToken: token || undefined,
      refreshSTSToken: token ? async () => ({ accessKeyId: id, accessKeySecret: secret, stsToken: token }) : null,
      bucket,
      region: `oss-${region}`,
      authorizationV4: sign === 'v4',
      sldEnable: style === 'path'
    });
  },
  async put({ key, body, headers }) {
    const answer = await client.put(key, body, options(headers));
    return { etag: bare(answer.res.headers.etag), version: answer.res.headers['x-oss-version-id'] || null };
  },
  async get({ key, span, headers, version: versionId }) {
    const asked = { ...headers, ...(span ? { Range: range(span) } : {}) };
    const answer = await client.get(key, null, { headers: asked, ...(versionId ? { versionId } : {}) });
    unchanged(answer);
    const told = answer.res.headers;
    return {
      body: answer.content,
      type: told['content-type'] || null,
      metadata: own(told),
      etag: bare(told.etag)
    };
  },
  async head({ key, headers, version: versionId }) {
    const answer = await client.head(key, { headers, ...(versionId ? { versionId } : {}) });
    unchanged(answer);
    const told = answer.res.headers;
    return {
      size: Number(told['content-length']),
      etag: bare(told.etag),
      type: told['content-type'] || null,
      metadata: answer.meta || {},
      kind: told['x-oss-object-type'],
      crc64: told['x-oss-hash-crc64ecma'] || null,
      headers: told
    };
  },
  async meta({ key }) {
    const told = (await client.getObjectMeta(key)).res.headers;
    return { size: Number(told['content-length']), etag: bare(told.etag) };
  },
  async delete({ key, version: versionId }) {
    const told = (await client.delete(key, versionId ? { versionId } : {})).res.headers;
    return { marker: told['x-oss-delete-marker'] === 'true', version: told['x-oss-version-id'] || null };
  },
  async delete_many({ keys }) {
    return (await client.deleteMulti(keys)).deleted.map(each => each.Key).sort();
  },
  async copy({ source_bucket: sourceBucket, source, key, headers, version: versionId }) {
    const asked = {};
    const meta = {};
    for (const [name, value] of Object.entries(headers || {})) {
      if (name.startsWith('x-oss-copy-source-')) asked[name.slice('x-oss-copy-source-'.length)] = value;
      else if (name.startsWith(META)) meta[name.slice(META.length)] = value;
      else asked[name] = value;
    }
    const more = { headers: asked, ...(versionId ? { versionId } : {}) };
    if (Object.keys(meta).length) more.meta = meta;
    const answer = await client.copy(key, source, sourceBucket, more);
    unchanged(answer);
    return { etag: bare(answer.data.etag), version: answer.res.headers['x-oss-version-id'] || null };
  },
  async initiate({ key, headers }) {
    return (await client.initMultipartUpload(key, options(headers))).uploadId;
  },
  async upload_part({ key, upload, number, body }) {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'part-')), 'body');
    fs.writeFileSync(file, body);
    try {
      return bare((await client.uploadPart(key, upload, number, file, 0, body.length)).etag);
    } finally {
      fs.rmSync(path.dirname(file), { recursive: true });
    }
  },
  async copy_part({ key, upload, number, source_bucket: sourceBucketName, source, span, headers }) {
    const from = { sourceKey: source, sourceBucketName };
    const asked = span ? `${span[0]}-${span[1]}` : null;
    return bare((await client.uploadPartCopy(key, upload, number, asked, from, { headers: { ...headers } })).etag);
  },
  async complete({ key, upload, parts, headers }) {
    if (parts === null) throw new Lacks('the client always lists the parts');
    const listed = parts.map(([number, etag]) => ({ number, etag }));
    return bare((await client.completeMultipartUpload(key, upload, listed, { headers: { ...headers } })).etag);
  },
  async abort({ key, upload }) {
    await client.abortMultipartUpload(key, upload);
  },
  async list_parts({ key, upload, page }) {
    return pages(async ({ marker }) => {
      const query = { 'max-parts': page, ...(marker ? { 'part-number-marker': marker } : {}) };
      const answer = await client.listParts(key, upload, query);
      const parts = [].concat(answer.parts || []);
      const items = parts.map(each => [Number(each.PartNumber), Number(each.Size), bare(each.ETag)]);
      return [items, answer.isTruncated === 'true' ? { marker: answer.nextPartNumberMarker } : null];
    });
  },
  async list_uploads({ prefix, page }) {
    return pages(async markers => {
      const answer = await client.listUploads({ ...below(prefix), 'max-uploads': page, ...markers });
      const items = answer.uploads.map(each => [each.name, each.uploadId]);
      const following = { 'key-marker': answer.nextKeyMarker, 'upload-id-marker': answer.nextUploadIdMarker };
      return [items, answer.isTruncated ? following : null];
    });
  },
  async upload_large({ key, body, part_size: partSize }) {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'large-')), 'body');
    fs.writeFileSync(file, body);
    try {
      await client.multipartUpload(key, file, { partSize, parallel: 1 });
    } finally {
      fs.rmSync(path.dirname(file), { recursive: true });
    }
  },
  async copy_large({ source_bucket: sourceBucketName, source: sourceKey, key, part_size: partSize }) {
    await client.multipartUploadCopy(key, { sourceKey, sourceBucketName }, { partSize, parallel: 1 });
  },
  async list_keys({ prefix, delimiter, page }) {
    const prefixes = [];
    const keys = await pages(async ({ marker }) => {
      const query = { ...below(prefix), 'max-keys': page, ...(delimiter ? { delimiter } : {}), ...(marker ? { marker } : {}) };
      const answer = await client.list({ ...query, 'encoding-type': 'url' }, {});
      prefixes.push(...(answer.prefixes || []));
      const items = answer.objects.map(each => each.name);
      return [items, answer.isTruncated ? { marker: decodeURIComponent(answer.nextMarker) } : null];
    });
    return { keys: keys.map(decodeURIComponent), prefixes: prefixes.map(decodeURIComponent) };
  },
  async list_v2({ prefix, delimiter, page, after }) {
    const prefixes = [];
    const keys = await pages(async ({ token }) => {
      const query = { ...below(prefix), 'max-keys': page, 'encoding-type': 'url' };
      if (delimiter) query.delimiter = delimiter;
      if (after) query['start-after'] = after;
      if (token) query['continuation-token'] = token;
      const answer = await client.listV2(query, {});
      prefixes.push(...(answer.prefixes || []));
      const items = answer.objects.map(each => each.name);
      return [items, answer.isTruncated ? { token: answer.nextContinuationToken } : null];
    });
    return { keys: keys.map(decodeURIComponent), prefixes: prefixes.map(decodeURIComponent) };
  },
  async list_versions({ prefix, page }) {
    return pages(async markers => {
      const answer = await client.listObjectVersions({ ...below(prefix), 'max-keys': page, ...markers }, {});
      const versions = answer.objects.map(each => [each.name, each.versionId, false, each.isLatest]);
      const markersFound = answer.deleteMarker.map(each => [each.name, each.versionId, true, null]);
      const following = { keyMarker: answer.nextKeyMarker, versionIdMarker: answer.nextVersionIdMarker };
      return [[...versions, ...markersFound], answer.isTruncated ? following : null];
    });
  },
  async list_buckets({ prefix, page }) {
    return pages(async ({ marker }) => {
      const answer = await client.listBuckets({ prefix, 'max-keys': page, ...(marker ? { marker } : {}) });
      return [(answer.buckets || []).map(each => each.name), answer.isTruncated ? { marker: answer.nextMarker } : null];
    });
  },
  async put_tags({ key, tags }) {
    await client.putObjectTagging(key, tags);
  },
  async get_tags({ key }) {
    return (await client.getObjectTagging(key)).tag;
  },
  async delete_tags({ key }) {
    await client.deleteObjectTagging(key);
  },
  async put_acl({ key, acl }) {
    await client.putACL(key, acl);
  },
  async get_acl({ key }) {
    return (await client.getACL(key)).acl;
  },
  async put_symlink({ key, target, headers }) {
    await client.putSymlink(key, target, options(headers));
  },
  async get_symlink({ key }) {
    return (await client.getSymlink(key)).targetName;
  },
  async append({ key, position, body }) {
    return Number((await client.append(key, body, { position: String(position) })).nextAppendPosition);
  },
  async restore({ key, days }) {
    return (await client.restore(key, { type: 'Archive', Days: days })).res.status;
  },
  async make_bucket() {
    await client.putBucket(bucket);
  },
  async remove_bucket() {
    await client.deleteBucket(bucket);
  },
  async bucket_info() {
    const found = (await client.getBucketInfo(bucket)).bucket;
    return { name: found.Name, class: found.StorageClass, acl: found.AccessControlList.Grant };
  },
  async bucket_location() {
    return (await client.getBucketLocation(bucket)).location;
  },
  async bucket_stat() {
    return Number((await client.getBucketStat(bucket)).stat.ObjectCount);
  },
  async put_bucket_acl({ acl }) {
    await client.putBucketACL(bucket, acl);
  },
  async get_bucket_acl() {
    return (await client.getBucketACL(bucket)).acl;
  },
  async put_versioning({ status }) {
    await client.putBucketVersioning(bucket, status);
  },
  async get_versioning() {
    return (await client.getBucketVersioning(bucket)).versionStatus;
  },
  async put_bucket_tags({ tags }) {
    await client.putBucketTags(bucket, tags);
  },
  async get_bucket_tags() {
    return (await client.getBucketTags(bucket)).tag;
  },
  async delete_bucket_tags() {
    await client.deleteBucketTags(bucket);
  },
  async delete_encryption() {
    await client.deleteBucketEncryption(bucket);
  },
  async delete_expiry() {
    await client.deleteBucketLifecycle(bucket);
  },
  async put_encryption({ algorithm }) {
    await client.putBucketEncryption(bucket, { SSEAlgorithm: algorithm });
  },
  async get_encryption() {
    return (await client.getBucketEncryption(bucket)).encryption.SSEAlgorithm;
  },
  async put_payer({ payer }) {
    await client.putBucketRequestPayment(bucket, payer);
  },
  async get_payer() {
    return (await client.getBucketRequestPayment(bucket)).payer;
  },
  async put_expiry({ prefix, days }) {
    await client.putBucketLifecycle(bucket, [{ id: 'one', prefix, status: 'Enabled', expiration: { days } }]);
  },
  async get_expiry() {
    const { rules } = await client.getBucketLifecycle(bucket);
    return rules.map(each => [each.prefix, Number(each.expiration.days)]);
  },
  async presign({ method, key, seconds, headers }) {
    if (client.options.authorizationV4) return client.signatureUrlV4(method, seconds, { headers }, key, []);
    const type = headers['content-type'];
    if (Object.keys(headers).some(name => name !== 'content-type')) throw new Lacks('V1 presigns the type alone');
    return client.asyncSignatureUrl(key, { method, expires: seconds, ...(type ? { 'Content-Type': type } : {}) });
  },
  post_policy({ key, seconds }) {
    const until = new Date(Date.now() + seconds * 1000).toISOString();
    const policy = { expiration: until, conditions: [['eq', '$key', key], { bucket }] };
    return { key, ...client.calculatePostSignature(policy) };
  }
};

// the suffix of a code is the client's own, from the element <Condition>
const refusal = ({ status, code }) => (status > 0 ? { status, code: (code || '').replace(/Error$/, '') } : null);

serve(`ali-oss ${version}`, verbs, refusal);
