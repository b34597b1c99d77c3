// Drives the SDKs of FC for Node: @alicloud/fc2 (with the argument `fc2`) or @alicloud/fc20230330 (`fc3`).
'use strict';

const { serve } = require('./channel');

const SERVICE = 'any'; // FC 3.0 has no services, and its host of the older API takes every name
let client;

async function older() {
  const Client = require('@alicloud/fc2');
  const verbs = {
    connect({ endpoint, id, secret, token, account, region }) {
      client = new Client(account, {
        accessKeyID: id,
        accessKeySecret: secret,
        securityToken: token || undefined,
        endpoint,
        region
      });
    },
    async invoke({ function: name, payload, headers }) {
      const sent = {};
      for (const [key, value] of Object.entries(headers)) {
        sent[key.replace('x-fc-async-task-id', 'x-fc-stateful-async-invocation-id')] = value;
      }
      const answer = await client.invokeFunction(SERVICE, name, payload, sent, null, { rawBuf: true });
      const body = Buffer.isBuffer(answer.data) ? answer.data : Buffer.from(JSON.stringify(answer.data));
      return { body, headers: answer.headers };
    }
  };
  const refusal = error => {
    const status = /failed with (\d{3})/.exec(error.message);
    return status && { status: Number(status[1]), code: error.code || '' };
  };
  serve(`@alicloud/fc2 ${require('@alicloud/fc2/package.json').version}`, verbs, refusal);
}

async function newer() {
  const { default: Client, ...models } = require('@alicloud/fc20230330');
  const { $OpenApiUtil } = require('@alicloud/openapi-core');
  const { RuntimeOptions } = require('@darabonba/typescript');
  const { Readable } = require('stream');
  const verbs = {
    connect({ endpoint, id, secret, token, region }) {
      const config = new $OpenApiUtil.Config({
        accessKeyId: id,
        accessKeySecret: secret,
        securityToken: token || undefined,
        endpoint: endpoint.replace('http://', ''),
        protocol: 'http',
        regionId: region
      });
      client = new Client(config);
    },
    async invoke({ function: name, payload, headers }) {
      const request = new models.InvokeFunctionRequest({ body: Readable.from([payload]) });
      const sent = new models.InvokeFunctionHeaders({
        xFcInvocationType: headers['x-fc-invocation-type'],
        xFcAsyncTaskId: headers['x-fc-async-task-id'],
        xFcLogType: headers['x-fc-log-type']
      });
      const answer = await client.invokeFunctionWithOptions(name, request, sent, new RuntimeOptions({}));
      const pieces = [];
      for await (const piece of answer.body) pieces.push(Buffer.from(piece));
      return { body: Buffer.concat(pieces), headers: answer.headers };
    },
    async create({ function: functionName, code, handler }) {
      const body = new models.CreateFunctionInput({
        functionName,
        handler,
        runtime: 'python3.10',
        memorySize: 256,
        cpu: 0.25,
        timeout: 20,
        code: new models.InputCodeLocation({ zipFile: code.toString('base64') })
      });
      await client.createFunction(new models.CreateFunctionRequest({ body }));
    },
    async describe({ function: name }) {
      const { body } = await client.getFunction(name, new models.GetFunctionRequest({}));
      return { name: body.functionName, handler: body.handler, memory: body.memorySize };
    },
    async functions({ prefix, page }) {
      const found = [];
      for (let nextToken; ; ) {
        const request = new models.ListFunctionsRequest({ prefix, limit: page, nextToken });
        const { body } = await client.listFunctions(request);
        found.push(...(body.functions || []).map(each => each.functionName));
        nextToken = body.nextToken;
        if (!nextToken) return found;
      }
    },
    async remove({ function: name }) {
      await client.deleteFunction(name);
    },
    async task({ function: name, task }) {
      return (await client.getAsyncTask(name, task, new models.GetAsyncTaskRequest({}))).body.status;
    },
    async tasks({ function: name, prefix }) {
      const { body } = await client.listAsyncTasks(name, new models.ListAsyncTasksRequest({ prefix }));
      return (body.tasks || []).map(each => each.taskId);
    },
    async stop({ function: name, task }) {
      await client.stopAsyncTask(name, task, new models.StopAsyncTaskRequest({}));
    }
  };
  const refusal = error => error.statusCode && { status: error.statusCode, code: error.code || '' };
  serve(`@alicloud/fc20230330 ${require('@alicloud/fc20230330/package.json').version}`, verbs, refusal);
}

if (process.argv[2] === 'fc2') older();
else newer();
