import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Longest wait for the requests under way when the server closes, in milliseconds. */
const drainWithinMs = 10_000;

/**
 * Lets a closing server end soon. Node closes the connections that are idle at that moment; this also closes one that
 * never asked for anything, one whose request was just answered (it would be kept for the next one), and at the limit
 * those that are still busy. Returns what starts it, and that what stops it.
 */
export function drainOf(server: Server): () => () => void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return () => {
    const often = setInterval(() => {
      server.closeIdleConnections();
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    }, 20);
    const late = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, drainWithinMs);
    return () => {
      clearInterval(often);
      clearTimeout(late);
    };
  };
}
