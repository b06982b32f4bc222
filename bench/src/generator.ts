/**
 * The load generator, a process of its own that `load.ts` starts. It shares the cores with the server under test, so it
 * does as little as it can: raw sockets, request bytes prepared once, one reused read buffer a connection.
 */
import { connect, type Socket } from 'node:net';
import { type Answer, bodyText, readAnswer } from './answer.ts';
import type { LoadMessage, LoadOptions, LoadResult } from './load.ts';
import { cpuSeconds } from './process.ts';
import { prepareRequests } from './requests.ts';
import { percentile } from './statistics.ts';
import { readJwt } from './token.ts';

const tokenMember = '"access_token"';
const retryAfterErrorMs = 20;

let options: LoadOptions;
let measuring = false;
let ended = false;
let latencies = new Float64Array(1 << 16);
let requests = 0;
let errors = 0;
let firstError: string | undefined;
let sample: string | undefined;

process.once('message', (message: LoadOptions) => {
  options = message;
  for (let i = 0; i < options.connections; i++) openConnection();
  setTimeout(measure, options.warmupSeconds * 1000);
});
// Whoever asked is gone.
process.once('disconnect', () => process.exit(1));

function openConnection(): void {
  const nextRequest = prepareRequests(options.requests);
  let sentAt = 0;
  let pending: Buffer | undefined;
  const socket: Socket = connect({
    host: '127.0.0.1',
    port: options.requests.port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(1 << 15),
      callback(length, chunk) {
        receive(length, chunk as Buffer);
        return true;
      },
    },
  });
  const send = () => {
    sentAt = performance.now();
    socket.write(nextRequest());
  };
  const receive = (length: number, chunk: Buffer) => {
    const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk.subarray(0, length)]);
    const size = pending === undefined ? length : bytes.length;
    let answer: Answer | undefined;
    try {
      answer = readAnswer(bytes, size);
    } catch (error) {
      socket.destroy(error as Error);
      return;
    }
    if (answer === undefined) {
      // The read buffer is used again: what is kept is copied.
      pending = pending === undefined ? Buffer.from(chunk.subarray(0, length)) : bytes;
      return;
    }
    pending = undefined;
    judge(bytes, answer, performance.now() - sentAt);
    if (!ended) send();
  };
  socket.once('connect', send);
  socket.once('error', (error) => fail(error.message));
  socket.once('close', (hadError) => {
    if (ended) return;
    if (!hadError) fail('The server closed a connection.');
    setTimeout(openConnection, retryAfterErrorMs);
  });
}

function judge(bytes: Buffer, answer: Answer, milliseconds: number): void {
  if (sample === undefined) takeSample(bytes, answer);
  if (answer.status !== 200 || !holdsToken(bytes, answer)) {
    fail(`${answer.status} ${bodyText(bytes, answer).slice(0, 300)}`);
    return;
  }
  if (!measuring) return;
  if (requests === latencies.length) {
    const longer = new Float64Array(latencies.length * 2);
    longer.set(latencies);
    latencies = longer;
  }
  latencies[requests++] = milliseconds;
}

function holdsToken(bytes: Buffer, answer: Answer): boolean {
  if (answer.chunked) return bodyText(bytes, answer).includes(tokenMember);
  const at = bytes.indexOf(tokenMember, answer.bodyStart, 'latin1');
  return at >= 0 && at < answer.end;
}

/** The first answer of a run is read as a whole: a fast wrong answer would make a fine benchmark. */
function takeSample(bytes: Buffer, answer: Answer): void {
  const body = bodyText(bytes, answer);
  try {
    const { access_token: token, token_type: type, expires_in: lifetime } = JSON.parse(body);
    const isBearer = answer.status === 200 && type === 'Bearer' && typeof lifetime === 'number';
    if (!isBearer || readJwt(token).header.alg !== options.algorithm) {
      throw new Error(`a ${options.algorithm} bearer token was expected`);
    }
    sample = token;
  } catch (error) {
    finish({ failure: `Bad first answer (${(error as Error).message}): ${answer.status} ${body.slice(0, 500)}` });
  }
}

function fail(reason: string): void {
  firstError ??= reason;
  if (measuring) errors++;
}

function measure(): void {
  if (ended) return;
  const serverBefore = cpuSeconds(options.serverPid);
  const ownBefore = process.cpuUsage();
  const startedAt = performance.now();
  measuring = true;
  setTimeout(() => {
    measuring = false;
    const seconds = (performance.now() - startedAt) / 1000;
    const serverAfter = cpuSeconds(options.serverPid);
    const own = process.cpuUsage(ownBefore);
    if (sample === undefined) {
      finish({ failure: `No token within ${options.warmupSeconds + options.seconds} s: ${firstError ?? 'no answer'}` });
      return;
    }
    const times = latencies.subarray(0, requests).sort();
    const result: LoadResult = {
      requests,
      errors,
      seconds,
      tokensPerSecond: requests / seconds,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      max: percentile(times, 1),
      generatorCpuMicros: (own.user + own.system) / requests,
      sample,
    };
    if (firstError !== undefined) result.firstError = firstError;
    if (serverBefore !== undefined && serverAfter !== undefined) {
      result.serverCpuMicros = ((serverAfter - serverBefore) * 1e6) / requests;
    }
    finish({ result });
  }, options.seconds * 1000);
}

function finish(message: LoadMessage): void {
  if (ended) return;
  ended = true;
  process.send?.(message, () => process.exit(0));
}
