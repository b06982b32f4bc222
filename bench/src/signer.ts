/** Measures what one signature costs, in a process of its own that `signature.ts` starts, so that nothing else counts. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { SignatureCost } from './signature.ts';
import type { Algorithm } from './token.ts';

const [algorithm, seconds] = [process.argv[2] as Algorithm, Number(process.argv[3])];

/** As many as the threads of Node's pool. */
const inFlight = 4;
/** About the size of the part of an access token that is signed. */
const data = randomBytes(420);
const key: KeyObject =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

let signatures = 0;
let running = true;

function signForEver(): void {
  sign('sha256', data, { key, dsaEncoding: 'der' }, (error) => {
    if (error !== null) throw error;
    signatures++;
    if (running) signForEver();
  });
}

for (let i = 0; i < inFlight; i++) signForEver();

// The first part warms up and is not counted.
setTimeout(() => {
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  signatures = 0;
  setTimeout(() => {
    const cpu = process.cpuUsage(before);
    const cost: SignatureCost = {
      cpuMicros: (cpu.user + cpu.system) / signatures,
      perSecond: signatures / ((performance.now() - startedAt) / 1000),
    };
    running = false;
    process.stdout.write(`${JSON.stringify(cost)}\n`);
  }, seconds * 1000);
}, seconds * 250);
