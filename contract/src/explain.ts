import { type Static, Type } from 'typebox';

/** A question: may this subject have these scopes, at this audience, in this organization? */
export const ExplainQuestion = Type.Object(
  {
    applicationId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'The client asked about.' })),
    userId: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Or the user asked about.' })),
    audience: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 600,
        description: 'Identifier of the API; absent: the organization itself.',
      }),
    ),
    organizationId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    scopes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 280 }), { maxItems: 1000, description: 'Scopes wanted.' }),
    ),
  },
  {
    examples: [
      {
        applicationId: 'G7wYb…',
        audience: 'https://orders.example',
        organizationId: 'org_3f…',
        scopes: ['read:orders'],
      },
    ],
  },
);
export type ExplainQuestion = Static<typeof ExplainQuestion>;

const step = Type.Object({
  step: Type.String({ description: 'What was asked, such as `organization_active`.' }),
  outcome: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('not_reached')]),
  reason: Type.Optional(Type.String({ description: 'Of the failed step; as in the log.' })),
  message: Type.Optional(Type.String({ description: 'The reason in a sentence.' })),
});

const source = Type.Object({
  source: Type.Union([Type.Literal('client_grant'), Type.Literal('tenant_role'), Type.Literal('organization_role')]),
  id: Type.String({ description: 'Of the grant or the role.' }),
  name: Type.Union([Type.String(), Type.Null()]),
  organizationId: Type.Union([Type.String(), Type.Null()], { description: 'Where an organization role is held.' }),
  inherited: Type.Boolean({ description: 'Held above the organization that was asked about.' }),
  scopes: Type.Array(Type.String()),
});

/** The decision as the token endpoint would take it now, step by step; at most one step failed. */
export const Explanation = Type.Object({
  allowed: Type.Boolean({ description: 'A token with all the wanted scopes would be issued.' }),
  scopes: Type.Array(Type.String(), { description: 'All that the subject may have.' }),
  missingScopes: Type.Array(Type.String(), { description: 'Wanted, and not to be had.' }),
  steps: Type.Array(step),
  sources: Type.Array(source, { description: 'What gives scopes, whether or not the decision came that far.' }),
});
export type Explanation = Static<typeof Explanation>;
