/** The sessions of a user and what the user let applications do; read, and ended. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  type UserGrant as GrantBody,
  type UserSession as SessionBody,
  UserGrant,
  UserGrantsQuery,
  UserSession,
} from '@sekisho/contract';
import { Type } from 'typebox';
import {
  endAuthorizationOfUser,
  type ListedAuthorization,
  listAuthorizationsOfUser,
} from '../../../domain/authorizations/user-authorizations.ts';
import {
  endSessionOfUser,
  endSessionsOfUser,
  type ListedSession,
  listSessionsOfUser,
} from '../../../domain/sessions/user-sessions.ts';
import { failuresOfOne } from '../failures.ts';

const userId = Type.String({ description: 'Of a user.' });
const params = Type.Object({ userId });
const sessionParams = Type.Object({ userId, sessionId: Type.String({ description: 'Of a session (`uid`).' }) });
const grantParams = Type.Object({ userId, grantId: Type.String({ description: 'Of a grant.' }) });
const ended = { 204: Type.Null(), ...failuresOfOne };

export const userSessionRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.get(
    '/users/:userId/sessions',
    {
      config: { scopes: ['read:sessions'], delegated: true },
      schema: {
        summary: 'List the sessions of a user',
        description: 'Those that are not over, the latest first.',
        params,
        response: { 200: Type.Object({ sessions: Type.Array(UserSession) }), ...failuresOfOne },
      },
    },
    async ({ context, params }) => ({
      sessions: (await listSessionsOfUser(context, params.userId)).map(sessionBody),
    }),
  );

  server.delete(
    '/users/:userId/sessions',
    {
      config: { scopes: ['delete:sessions'], delegated: true },
      schema: {
        summary: 'Sign a user out everywhere',
        description: 'Ends every session and every grant, with all tokens. (Not in Logto.)',
        params,
        response: ended,
      },
    },
    async ({ context, params }, reply) => {
      await endSessionsOfUser(context, params.userId);
      reply.code(204);
      return null;
    },
  );

  server.delete(
    '/users/:userId/sessions/:sessionId',
    {
      config: { scopes: ['delete:sessions'], delegated: true },
      schema: {
        summary: 'End a session of a user',
        description: 'With the grants that rest on it; one with `offline_access` goes on.',
        params: sessionParams,
        response: ended,
      },
    },
    async ({ context, params }, reply) => {
      await endSessionOfUser(context, params.userId, params.sessionId);
      reply.code(204);
      return null;
    },
  );

  server.get(
    '/users/:userId/grants',
    {
      config: { scopes: ['read:grants'], delegated: true },
      schema: {
        summary: 'List what a user let applications do',
        description: 'What is not over, the latest first.',
        params,
        querystring: UserGrantsQuery,
        response: { 200: Type.Object({ grants: Type.Array(UserGrant) }), ...failuresOfOne },
      },
    },
    async ({ context, params, query }) => {
      const firstParty = query.appType === undefined ? undefined : query.appType === 'firstParty';
      return { grants: (await listAuthorizationsOfUser(context, params.userId, { firstParty })).map(grantBody) };
    },
  );

  server.delete(
    '/users/:userId/grants/:grantId',
    {
      config: { scopes: ['delete:grants'], delegated: true },
      schema: {
        summary: 'End a grant of a user',
        description:
          'With every token that rests on it. Of a third-party application what the user agreed to is withdrawn as ' +
          'well, and with it every other grant of that application.',
        params: grantParams,
        response: ended,
      },
    },
    async ({ context, params }, reply) => {
      await endAuthorizationOfUser(context, params.userId, params.grantId);
      reply.code(204);
      return null;
    },
  );
};

const secondsOf = (milliseconds: number): number => Math.floor(milliseconds / 1000);

const sessionBody = (session: ListedSession): SessionBody => ({
  payload: {
    exp: secondsOf(session.expiresAt),
    iat: secondsOf(session.createdAt),
    jti: session.id,
    uid: session.id,
    kind: 'Session',
    loginTs: secondsOf(session.authenticatedAt),
    accountId: session.userId,
    authorizations: Object.fromEntries(
      session.authorizations.map(({ id, clientId }) => [clientId, { sid: session.id, grantId: id }]),
    ),
  },
  lastSubmission: null,
  clientId: session.clientId,
  accountId: session.userId,
  expiresAt: session.expiresAt,
  ip: session.ip,
  userAgent: session.userAgent,
  device: session.device,
  authPolicyId: session.authPolicyId,
});

const grantBody = (grant: ListedAuthorization): GrantBody => ({
  id: grant.id,
  payload: {
    exp: secondsOf(grant.expiresAt),
    iat: secondsOf(grant.createdAt),
    jti: grant.id,
    kind: 'Grant',
    clientId: grant.clientId,
    accountId: grant.userId,
  },
  expiresAt: grant.expiresAt,
  application: { id: grant.clientId, name: grant.clientName },
});
