/** The management APIs as one app; loaded after the token endpoints, which do not need their schemas. */
import type { Server } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { unreadableBody } from './accounts/errors.ts';
import { accountsDialect } from './accounts/routes.ts';
import { createApp } from './app.ts';
import { errorBody } from './auth0/errors.ts';
import { auth0Dialect } from './auth0/routes.ts';
import type { RequestPart } from './edge/schema-problem.ts';
import { lazyValidator } from './edge/validate.ts';
import { problemOf } from './native/errors.ts';
import { nativeApi } from './native/routes.ts';
import type { HttpServices } from './request.ts';
import { failure } from './rhmap/errors.ts';
import { rhmapDialect } from './rhmap/routes.ts';

/** Builds the app of `/api`, `/api/v2` and `/box`; it takes its requests from `server`. */
export async function createManagement(services: HttpServices, server: Server): Promise<FastifyInstance> {
  const app = createApp(services, {
    serverFactory: () => server,
    validator: ({ schema, httpPart }) => lazyValidator(schema as TSchema, httpPart as RequestPart),
    unreadable,
  });
  // Forms are the protocol's. Read as an object one has no fields, and would pass where none is required.
  app.removeContentTypeParser('application/x-www-form-urlencoded');
  app.register(nativeApi(services), { prefix: '/api' });
  app.register(accountsDialect(services), { prefix: '/api' });
  app.register(auth0Dialect(services), { prefix: '/api/v2' });
  app.register(rhmapDialect(services), { prefix: '/box' });
  await app.ready();
  return app;
}

function unreadable({ url }: FastifyRequest): unknown {
  const message = 'The path can not be read.';
  if (url.startsWith('/box')) return failure(message);
  if (url.startsWith('/api/v2')) return errorBody(400, `Path validation error: '${message}'`, 'invalid_uri');
  if (url.startsWith('/api/accounts')) return unreadableBody(message);
  return problemOf({ status: 400, code: 'input.malformed', message });
}
