/**
 * What every change of the native and the accounts API takes, whatever it changes:
 *
 *   ?dry_run=true     authorizes, validates, runs the verb and rolls it back; answers what would have been
 *   Idempotency-Key   of a POST: made again, it answers again and changes nothing
 *   If-Match          of a PATCH (and of PUT and DELETE of the same thing): only while it still is as it was read
 *
 * Each runs the route's handler inside one transaction, with the check; so a handler returns its body and sends nothing.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Context } from '../../domain/context.ts';
import { type Answer, once } from '../../domain/idempotency/once.ts';
import { inOneTransaction } from '../../domain/one-transaction.ts';
import { DomainError } from '../../kernel/errors.ts';
import { withoutSecrets } from './changes-secrets.ts';
import { assertMatches, etagOf, noneMatch } from './etag.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
type Current = (request: FastifyRequest) => Promise<unknown>;

const changing: ReadonlySet<unknown> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Wraps the handlers of every route that is registered from here on. */
export function addConventions(server: FastifyInstance): void {
  const currents = new Map<string, Current>();
  const underWay = new Set<string>();
  server.addHook('onRoute', (route: RouteOptions) => {
    const handler = route.handler.bind(server) as Handler;
    if (route.config?.current !== undefined) currents.set(route.url, route.config.current);
    if (changing.has(route.method)) {
      route.handler = (request, reply) =>
        change({ handler, current: currents.get(route.url), underWay }, request, reply);
    } else {
      route.handler = (request, reply) => read(handler, request, reply);
    }
  });
}

/** GET of one thing: with its entity tag, or 304 when the caller has it already. */
async function read(handler: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const body = await handler(request, reply);
  if (reply.sent || reply.statusCode !== 200 || typeof body !== 'object' || body === null || Array.isArray(body)) {
    return body;
  }
  const etag = etagOf(body);
  reply.header('etag', etag);
  const known = request.headers['if-none-match'];
  if (known === undefined || noneMatch(known, etag)) return body;
  reply.code(304);
  return null;
}

interface Route {
  readonly handler: Handler;
  readonly current: Current | undefined;
  readonly underWay: Set<string>;
}

async function change(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const dryRun = isDryRun(request);
  if (request.routeOptions.config.asksOthers === true) {
    if (dryRun) reply.header('dry-run', 'true');
    return route.handler(request, reply);
  }
  const key = request.method === 'POST' ? keyOf(request) : undefined;
  const ifMatch = request.headers['if-match'];
  if (ifMatch !== undefined && route.current === undefined) {
    throw header('If-Match', 'This call can not be made conditional.');
  }
  const showsTag = request.method === 'PATCH' && route.current !== undefined && !dryRun;
  const ctx = request.context;
  const work = async (joined: Context): Promise<unknown> => {
    request.context = joined;
    if (ifMatch !== undefined) assertMatches(ifMatch, etagOf(await route.current?.(request)));
    const body = await route.handler(request, reply);
    if (showsTag) reply.header('etag', etagOf(await route.current?.(request)));
    return body;
  };
  try {
    if (dryRun) return await rolledBack(ctx, request, reply, work);
    if (key !== undefined) return await keyed(ctx, key, route.underWay, request, reply, work);
    return ifMatch !== undefined || showsTag ? await inOneTransaction(ctx, work) : await work(ctx);
  } finally {
    request.context = ctx;
  }
}

/** Carries an answer out of the transaction that is rolled back. */
class DryRun extends Error {
  readonly body: unknown;
  constructor(body: unknown) {
    super('dry run');
    this.body = body;
  }
}

async function rolledBack(
  ctx: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (ctx: Context) => Promise<unknown>,
): Promise<unknown> {
  reply.header('dry-run', 'true');
  try {
    return await inOneTransaction(ctx, async (joined) => {
      throw new DryRun(await work(joined));
    });
  } catch (error) {
    if (error instanceof DryRun) return withoutSecrets(request.routeOptions.schema, reply.statusCode, error.body);
    throw error;
  }
}

async function keyed(
  ctx: Context,
  key: string,
  underWay: Set<string>,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (ctx: Context) => Promise<unknown>,
): Promise<unknown> {
  const { actor } = ctx;
  const [path, query = ''] = request.url.split('?', 2);
  const call = {
    clientId: actor.kind === 'client' ? (actor.userId ?? actor.clientId) : '',
    route: `${request.method} ${path}`,
    key,
    // A token for another organization sees and makes other things.
    content: [request.body ?? null, query, (actor.kind === 'client' && actor.organization?.id) || null],
  };
  const answer = await once(ctx, underWay, call, async (joined): Promise<Answer & { body: unknown }> => {
    const body = await work(joined);
    const status = reply.statusCode;
    return { status, body, kept: withoutSecrets(request.routeOptions.schema, status, body) };
  });
  if ('fresh' in answer) return answer.fresh.body;
  reply.code(answer.again.status).header('idempotency-replayed', 'true');
  return answer.again.kept;
}

function isDryRun(request: FastifyRequest): boolean {
  const { dry_run: asked } = request.query as { dry_run?: unknown };
  if (asked === undefined || asked === 'false' || asked === false) return false;
  if (asked === 'true' || asked === true) return true;
  throw new DomainError('input.invalid', 'The field dry_run must be true or false.', {
    path: 'dry_run',
    data: { part: 'querystring' },
  });
}

function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw header('Idempotency-Key', 'An Idempotency-Key has 1 to 255 visible ASCII characters.');
}

const header = (name: string, message: string): DomainError =>
  new DomainError('input.invalid', message, { path: name, data: { part: 'headers' } });
