/** A directory that says whatever a test wants it to say. */
import { createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertifiedKey } from '../../../src/kernel/authority.ts';
import { element } from '../../../src/kernel/der.ts';
import { expect, integer, messageLength, octets, read, readInteger, sequence } from '../../../src/upstream/ldap/ber.ts';

export interface Heard {
  connections: number;
  /** Tags of the operations that were asked, in order. */
  readonly operations: number[];
}

export interface Asked {
  readonly id: number;
  /** 0x60 bind, 0x63 search, 0x77 extended, 0x42 unbind. */
  readonly operation: number;
  /** How many came on this connection, with this one. */
  readonly count: number;
  readonly socket: Socket;
  /** Goes on under TLS. */
  readonly secure: (certified: CertifiedKey) => void;
}

/** Runs `work` against a server that answers each request with the bytes that `answer` makes of it. */
export async function withDirectoryOf(
  answer: (asked: Asked) => Buffer | undefined,
  work: (url: string, heard: Heard) => Promise<void>,
): Promise<void> {
  const heard: Heard = { connections: 0, operations: [] };
  const sockets = new Set<Socket>();
  const hear = (socket: Socket) => {
    let [received, count] = [Buffer.alloc(0), 0];
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      // TLS is nothing that it understands.
      if (received[0] !== 0x30) return;
      for (let length = messageLength(received); length !== undefined && length <= received.length; ) {
        const [id, operation] = read(expect(read(received.subarray(0, length))[0], 0x30));
        received = received.subarray(length);
        length = messageLength(received);
        count += 1;
        heard.operations.push(operation!.tag);
        const secure = ({ certificate, privateKey }: CertifiedKey) => {
          socket.off('data', onData);
          hear(new TLSSocket(socket, { isServer: true, cert: certificate, key: privateKey }));
        };
        const bytes = answer({ id: readInteger(id), operation: operation!.tag, count, socket, secure });
        if (bytes !== undefined) socket.write(bytes);
      }
    };
    socket.on('error', () => {}).on('data', onData);
  };
  const server = createServer((socket) => {
    heard.connections += 1;
    sockets.add(socket);
    hear(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`ldap://127.0.0.1:${(server.address() as { port: number }).port}`, heard);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

export const message = (id: number, operation: Buffer): Buffer => sequence(integer(id), operation);

/** An LDAPResult as an operation of this tag, with what comes after it. */
export const result = (tag: number, code: number, ...others: Buffer[]): Buffer =>
  element(tag, integer(code, 0x0a), octets(''), octets(''), ...others);

export const bindResult = (code: number, credentials?: string | Buffer): Buffer =>
  result(0x61, code, ...(credentials === undefined ? [] : [octets(credentials, 0x87)]));

export const searchDone = (code: number): Buffer => result(0x65, code);

export function entry(dn: string, attributes: Readonly<Record<string, readonly string[]>>): Buffer {
  const pairs = Object.entries(attributes).map(([name, values]) =>
    sequence(octets(name), element(0x31, ...values.map((value) => octets(value)))),
  );
  return element(0x64, octets(dn), sequence(...pairs));
}
