/**
 * The RHMAP dialect, `/box/srv/1.1`: auth policies as fhc and RHMAP's Studio manage them, and what `$fh.auth` calls. A
 * reader of its errors is a program of 2015: the body is always the same, and HTTP 200 wherever the message is for people.
 */
import type { FastifyInstance } from 'fastify';
import { parseJson } from '../edge/json.ts';
import type { HttpServices } from '../request.ts';
import { appRoutes } from './app-routes.ts';
import { armRoutes } from './arm-routes.ts';
import { authorize } from './auth.ts';
import { bodyOf } from './body.ts';
import { failure, rhmapErrorHandler } from './errors.ts';
import { refuseOtherMethods } from './methods.ts';
import { calls } from './policies.ts';

/** Below `/box`, where the dialect is registered; what else is there is nobody's. */
const base = '/srv/1.1';

const policyPath = `${base}/admin/authpolicy`;

export function rhmapDialect(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(rhmapErrorHandler(services));
    server.setNotFoundHandler((_request, reply) => {
      void reply.code(404).send(failure('There is nothing here'));
    });
    if (!server.hasRequestDecorator('context')) server.decorateRequest('context', null as never);
    addJsonOfAnyType(server);
    server.addHook('onRequest', (request) => authorize(services, request));
    addPolicyCalls(server);
    await server.register(appRoutes(services, base, policyPath));
    await server.register(armRoutes(services));
  };
}

/** Clients send JSON and call it many things. No cookie counts here, so nothing hangs on what a browser may send where. */
function addJsonOfAnyType(server: FastifyInstance): void {
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function addPolicyCalls(server: FastifyInstance): void {
  for (const [name, { scope, call, get = false }] of Object.entries(calls)) {
    const url = `${policyPath}/${name}`;
    const methods = get ? ['GET', 'POST'] : ['POST'];
    server.route({
      method: methods,
      url,
      config: { scopes: [scope] },
      handler: (request) => call(request.context, bodyOf(request)),
    });
    refuseOtherMethods(server, url, methods);
  }
}
