/** Tokens by which an application of one's own acts for a user, once (token exchange). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CreateSubjectToken, SubjectToken } from '@sekisho/contract';
import { createSubjectToken, subjectTokenLifetimeMs } from '../../../domain/subject-tokens/create.ts';
import { failuresOfOne } from '../failures.ts';

export const subjectTokenRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.post(
    '/subject-tokens',
    {
      config: { scopes: ['create:subject_tokens'] },
      schema: {
        summary: 'Let an application act for a user',
        description:
          'An application that may exchange tokens gets an access token for the user with it, once, within 10 minutes. What the user may do at a management API the caller must hold.',
        body: CreateSubjectToken,
        response: { 201: SubjectToken, ...failuresOfOne },
      },
    },
    async ({ context: ctx, body: { userId, context = {} } }, reply) => {
      const subjectToken = await createSubjectToken(ctx, { userId, context });
      reply.code(201);
      return { subjectToken, expiresIn: subjectTokenLifetimeMs / 1000 };
    },
  );
};
