/**
 * Ports for servers that must know theirs before they listen. Test files run side by side, and servers start and end in
 * each all the time; so each process gives out the ports of a block that is its own while it lives: nobody else is given
 * a port between the question and the listening, nor while its server is down for a moment.
 */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * All blocks lie below the range that the system gives to outgoing connections and to servers that leave the choice to
 * it. A client that retries while its server is down must not be given that very port, which would connect it to itself
 * and keep the server from coming back.
 */
const firstBlock = 15_000;
const blocks = 170;
const portsOfBlock = 100;

let ownBlock: Promise<number> | undefined;
let given = 0;

/** A port on loopback that nothing listens on, and that this process is given again only after all its other ones. */
export async function freePort(): Promise<number> {
  ownBlock ??= takeBlock();
  const block = await ownBlock;
  for (let tries = 1; tries < portsOfBlock; tries += 1) {
    given = (given % (portsOfBlock - 1)) + 1;
    const port = block + given;
    const probe = await listenAt(port);
    if (probe === undefined) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
  throw new Error(`All ports from ${block + 1} to ${block + portsOfBlock - 1} are taken.`);
}

/** The first port of a block is listened on by whoever has the block, to the end of that process. */
async function takeBlock(): Promise<number> {
  const start = randomInt(blocks);
  for (let tries = 0; tries < blocks; tries += 1) {
    const block = firstBlock + ((start + tries) % blocks) * portsOfBlock;
    const holder = await listenAt(block);
    if (holder === undefined) continue;
    holder.unref();
    return block;
  }
  throw new Error(`Every block of ports from ${firstBlock} on is another process's.`);
}

function listenAt(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
