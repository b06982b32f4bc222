import type { FastifyInstance, FastifySchema } from 'fastify';

/** One method and path of the running server, for the pages and tests that must leave out none. */
export interface RouteEntry {
  readonly method: string;
  /** Whole path, with `:name` for parameters. */
  readonly path: string;
  /** Any one of these lets a token call it; undefined for routes outside the management APIs. */
  readonly scopes: readonly string[] | undefined;
  /** A token that speaks for an organization may call it. */
  readonly delegated: boolean;
  /** Called without a token. */
  readonly open: boolean;
  /** Takes `If-Match`. */
  readonly conditional: boolean;
  readonly schema: FastifySchema | undefined;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route, in order of registration; the HEAD that goes with each GET included. */
    routeList: RouteEntry[];
  }
}

/** Notes each route as it is registered; called before the first one. */
export function collectRoutes(server: FastifyInstance): void {
  const routes: RouteEntry[] = [];
  server.decorate('routeList', routes);
  server.addHook('onRoute', ({ method, url, config, schema }) => {
    const { scopes, delegated = false, open = false, current } = config ?? {};
    const conditional = current !== undefined;
    for (const one of [method].flat()) {
      routes.push({ method: one, path: url, scopes, delegated, open, conditional, schema });
    }
  });
}
