// What the drivers of the clients for Node share; channel.py says what the lines are.
'use strict';

const dns = require('dns');

// Names under .localhost are this machine, as RFC 6761 asks of resolvers; not every libc does it.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(String(host).endsWith('.localhost') ? '127.0.0.1' : host, ...rest);
console.log = console.info = console.error; // what a client prints is no answer

class Lacks extends Error {}

// the whole line, also where a pipe takes only a piece of it at once
const say = line => new Promise(done => process.stdout.write(`${JSON.stringify(line)}\n`, done));

const bytes = (_, value) =>
  value && typeof value === 'object' && Object.keys(value).join() === 'base64'
    ? Buffer.from(value.base64, 'base64')
    : value;

function plain(value) {
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') };
  if (Array.isArray(value)) return value.map(plain);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

async function answer(verbs, refusal, { verb, arguments: given }) {
  if (!verbs[verb]) return { lacks: 'the client has no such call' };
  try {
    return { done: plain((await verbs[verb](given)) ?? null) };
  } catch (error) {
    if (error instanceof Lacks) return { lacks: error.message };
    const refused = refusal(error);
    return refused ? { refused } : { broken: error.stack };
  }
}

/** Carry out verbs, one after the other, until standard input ends. `refusal`: status and code of an error. */
function serve(client, verbs, refusal) {
  let pending = '';
  let last = say({ client });
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', chunk => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop();
    for (const line of lines) {
      last = last.then(async () => say(await answer(verbs, refusal, JSON.parse(line, bytes))));
    }
  });
}

module.exports = { Lacks, serve };
