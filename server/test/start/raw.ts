/** Requests byte by byte: `fetch` would put them right before they leave. */
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export interface RawAnswer {
  /** 0 when the connection ended without an answer. */
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  body: any;
  text: string;
}

/** Sends the text as it is and reads until the server closes; rejects when the handshake fails. */
export function exchange(port: number, request: string, tls?: ConnectionOptions): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const target = { port, host: '127.0.0.1' };
    const socket = tls === undefined ? connect(target) : connectTls({ ...target, ...tls });
    let received = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(parse(received)));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(request));
  });
}

function parse(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  const [first = '', ...lines] = received.slice(0, end < 0 ? undefined : end).split('\r\n');
  const text = end < 0 ? '' : received.slice(end + 4);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON.
  }
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0), headers, body, text };
}
