/** `/api/sign-in-exp`: how the pages of the tenant look, and who may sign up. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { SignInExperience, UpdateSignInExperience } from '@sekisho/contract';
import type { FastifyRequest } from 'fastify';
import type { TenantSignInSettings } from '../../../domain/tenants/sign-in-settings.ts';
import { getTenant, updateSettings } from '../../../domain/tenants/tenants.ts';
import { failures, failuresOfOne } from '../failures.ts';
import { changedSettings, experienceBody, inLogtosWords } from './mapping.ts';

export const signInExperienceRoutes: FastifyPluginAsyncTypebox = async (server) => {
  const readOne = async ({ context }: FastifyRequest): Promise<SignInExperience> =>
    experienceBody(await getTenant(context, context.site.tenantId));

  server.get(
    '/sign-in-exp',
    {
      config: { scopes: ['read:sign_in_experience'] },
      schema: { summary: 'Read how the pages look', response: { 200: SignInExperience, ...failures } },
    },
    readOne,
  );

  server.patch(
    '/sign-in-exp',
    {
      config: { scopes: ['update:sign_in_experience'], current: readOne },
      schema: {
        summary: 'Change how the pages look, and who may sign up',
        body: UpdateSignInExperience,
        response: { 200: SignInExperience, ...failuresOfOne },
      },
    },
    async ({ context, body }) => {
      const signIn = (before: TenantSignInSettings) => changedSettings(body, before);
      return experienceBody(await inLogtosWords(updateSettings(context, { signIn })));
    },
  );
};
