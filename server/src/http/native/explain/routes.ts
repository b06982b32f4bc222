import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ExplainQuestion, Explanation, Problem } from '@sekisho/contract';
import { type Ask, type Explanation as Explained, explainAccess } from '../../../domain/access/explain.ts';
import { invalid } from '../../../kernel/errors.ts';
import { refusalReasons } from '../../../protocol/refusal.ts';

/** `/api/explain`: why a subject may, or may not, have scopes. Reads only. */
export const explainRoutes: FastifyPluginAsyncTypebox = async (server) => {
  server.post(
    '/explain',
    {
      config: { scopes: ['explain:access'], delegated: true },
      schema: {
        summary: 'Explain a decision',
        description:
          'The decision that the token endpoint would take now, step by step, and what each scope comes from.',
        body: ExplainQuestion,
        response: { 200: Explanation, 400: Problem, 401: Problem, 403: Problem, 404: Problem },
      },
    },
    async (request) => bodyOf(await explainAccess(request.context, askOf(request.body))),
  );
};

function askOf({ applicationId, userId, audience, organizationId, scopes = [] }: ExplainQuestion): Ask {
  if ((applicationId === undefined) === (userId === undefined)) {
    throw invalid('applicationId', 'Name one subject: an applicationId or a userId.');
  }
  if (audience === undefined && organizationId === undefined) {
    throw invalid('audience', 'Name an audience, an organizationId, or both.');
  }
  const subject =
    applicationId === undefined
      ? { kind: 'user' as const, id: userId as string }
      : { kind: 'client' as const, id: applicationId };
  return { subject, audience, organizationId, scopes };
}

const sentenceOf = (reason: string): string | undefined => (refusalReasons as Record<string, string>)[reason];

const bodyOf = ({ allowed, scopes, missingScopes, steps, sources }: Explained): Explanation => ({
  allowed,
  scopes: [...scopes],
  missingScopes: [...missingScopes],
  steps: steps.map(({ step, outcome, reason }) =>
    reason === undefined ? { step, outcome } : { step, outcome, reason, message: sentenceOf(reason) ?? reason },
  ),
  sources: sources.map((source) => ({ ...source, scopes: [...source.scopes] })),
});
