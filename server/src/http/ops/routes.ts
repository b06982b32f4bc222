import type { FastifyInstance } from 'fastify';
import type { HttpServices } from '../request.ts';

/** Whether the process can do its work. */
export interface Readiness {
  /** Names of what is not ready; empty: ready. */
  missing(): Promise<string[]>;
}

/** `/healthz`: the process is alive. `/readyz`: database reachable, migrations done, keys loaded. On any host. */
export function opsSurface(services: HttpServices, readiness: Readiness) {
  return async (server: FastifyInstance): Promise<void> => {
    server.get('/healthz', async () => ({ status: 'ok' }));
    server.get('/readyz', async (_request, reply) => {
      const missing = await readiness.missing().catch((error) => {
        services.logger.warn({ err: error }, 'not ready');
        return ['database'];
      });
      if (missing.length === 0) return { status: 'ready' };
      return reply.code(503).header('retry-after', '1').send({ status: 'not ready', missing });
    });
  };
}
