// SPDX-License-Identifier: GPL-2.0-or-later
// A client of the oracle: asks what the kernel would answer, and compares an answer of its own.
//
//   node client.mjs ipvs-est oracle
//
// Numbers of the protocol go up to 2^64-1, and those of JavaScript are exact up to 2^53: whoever
// needs more digits reads them with a parser that gives BigInt. The few here are small.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [command, ...options] = process.argv.slice(2);
const oracle = spawn(command, options, { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: oracle.stdout })[Symbol.asyncIterator]();

async function answer() {
  const { value, done } = await lines.next();
  if (done) throw new Error("the oracle has ended");
  return JSON.parse(value);
}

async function ask(line) {
  oracle.stdin.write(JSON.stringify(line) + "\n");
  const told = await answer();
  if (told.error) throw new Error(`${told.error.field}: ${told.error.message}`);
  return told;
}

const hello = await answer();
console.log(`protocol ${hello.protocol}, revisions ${hello.revisions.join(", ")}`);

await ask({ configure: { revision: "mainline", params: { hz: 250, possible_cpus: 4 } } });
await ask({ op: "init" });
await ask({ op: "add_service", id: 1 });
// 1000 packets in each revolution of 2 seconds are 500 a second.
for (let revolution = 0; revolution < 20; revolution++) {
  const packets = { conns: 10, inpkts: 1000, outpkts: 0, inbytes: 64000, outbytes: 0 };
  await ask({ op: "traffic", id: 1, cpu: revolution % 4, ...packets });
  await ask({ op: "advance", n: 500 });
}
const { result } = await ask({ op: "read", id: 1 });
console.log(`${result.inpkts} packets, ${result.inpps} a second, ${result.inbps} bytes a second`);

// An operation with a result of one's own is compared.
const compared = await ask({ op: "read", id: 1, result: { ...result, inpps: 0 } });
console.log(`equal: ${compared.equal}, differs at ${compared.differs_at}`);
oracle.stdin.end();
