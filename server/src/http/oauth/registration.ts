/** The registration endpoint of an issuer (RFC 7591 §3) and the configuration endpoint of each client (RFC 7592 §2). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../kernel/errors.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { OwnRegistration, Registered } from '../../protocol/registration/registration.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';
import { describe } from './error-table.ts';
import { logUnreadable, oauthErrorHandler } from './errors.ts';
import type { Issuer } from './issuer.ts';

/** Largest body, in bytes: addresses and keys. */
const bodyLimit = 256 * 1024;

/** Loaded at the first request: most servers never have one. */
const protocol = () => import('../../protocol/registration/registration.ts');
const words = () => import('../../protocol/registration/metadata.ts');

/** Adds them to the issuer's plugin. */
export function addRegistration(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const path = issuer.paths.registration;
  const options = { bodyLimit, exposeHeadRoute: false, errorHandler: registrationErrorHandler(services, issuer) };
  const context = (request: FastifyRequest) => protocolContext(services, request);

  server.post(path, options, async (request, reply) => {
    const { register } = await protocol();
    const registered = await register(context(request), bearerOf(request), request.body);
    return reply.code(201).send(await bodyOf(issuer, request, registered));
  });
  server.get(`${path}/:clientId`, options, async (request) => {
    const { readRegistration } = await protocol();
    return bodyOf(issuer, request, await readRegistration(context(request), ownOf(request)));
  });
  server.put(`${path}/:clientId`, options, async (request) => {
    const { replaceRegistration } = await protocol();
    return bodyOf(issuer, request, await replaceRegistration(context(request), ownOf(request), request.body));
  });
  server.delete(`${path}/:clientId`, options, async (request, reply) => {
    const { removeRegistration } = await protocol();
    await removeRegistration(context(request), ownOf(request));
    return reply.code(204).send();
  });
}

const bearerOf = (request: FastifyRequest): string | undefined => {
  const presented = presentedToken(request);
  return presented?.scheme === 'Bearer' ? presented.token : undefined;
};

const ownOf = (request: FastifyRequest): OwnRegistration => ({
  clientId: (request.params as { clientId: string }).clientId,
  token: bearerOf(request),
});

/** RFC 7591 §3.2.1, RFC 7592 §3. A secret is told when it is made, and never again. */
const bodyOf = async ({ paths }: Issuer, { site }: FastifyRequest, { client, registrationToken }: Registered) => ({
  ...(await words()).metadataOf(client),
  ...(client.secret === undefined ? {} : { client_secret: client.secret, client_secret_expires_at: 0 }),
  registration_access_token: registrationToken,
  registration_client_uri: `${site.origin}${paths.registration}/${encodeURIComponent(client.id)}`,
});

/** RFC 7591 §3.2.2: what is wrong with the metadata; everything else in the issuer's words. */
function registrationErrorHandler(services: HttpServices, issuer: Issuer) {
  const otherwise = oauthErrorHandler(services, issuer);
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (error instanceof Refusal && /_token_invalid$/.test(error.reason)) {
      reply.header('www-authenticate', 'Bearer error="invalid_token"');
    }
    const isOurs = error instanceof DomainError && (error.kind === 'invalid' || error.kind === 'conflict');
    if (!isOurs) return otherwise(error, request, reply);
    await logUnreadable(services, 'client_registration.refused', request, error);
    const path = nameOf((await words()).metadataNames, error.path ?? '');
    const answer = {
      status: 400,
      error: /^redirect_uris\b/.test(path) ? 'invalid_redirect_uri' : 'invalid_client_metadata',
      description: describe(path === '' ? error.message : `${path}: ${error.message}`),
    };
    void reply.code(answer.status).send(issuer.errorBody(answer, request));
  };
}

/** The field of an error as the metadata calls it. */
function nameOf(names: Readonly<Record<string, string>>, path: string): string {
  const [first = '', ...rest] = path.split('.');
  return [names[first] ?? first, ...rest].join('.');
}
