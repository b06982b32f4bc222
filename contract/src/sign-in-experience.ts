import { type Static, Type } from 'typebox';
import { authPolicyIds } from './auth-policy-ids.ts';

const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

const color = Type.String({ pattern: '^#[0-9A-Fa-f]{6}$', examples: ['#0069a8'] });
const url = Type.String({ maxLength: 2048, examples: ['https://example.com/logo.svg'] });
const name = Type.String({
  minLength: 1,
  maxLength: 300,
  description: "What the pages call the tenant; without one, the tenant's name. (Not in Logto.)",
});
const signInMode = Type.Union([Type.Literal('SignIn'), Type.Literal('SignInAndRegister')], {
  description: 'Whether people may make accounts of their own.',
});

const policies = authPolicyIds('Null: all that are enabled, and `password`.');

export const SignInColor = Type.Object({
  primaryColor: Type.Optional(color),
  isDarkModeEnabled: Type.Boolean({ description: 'Whether the pages are dark where the browser asks for it.' }),
  darkPrimaryColor: Type.Optional(color),
});
export type SignInColor = Static<typeof SignInColor>;

export const SignInBranding = Type.Object({
  logoUrl: Type.Optional(url),
  darkLogoUrl: Type.Optional(url),
  favicon: Type.Optional(url),
});
export type SignInBranding = Static<typeof SignInBranding>;

/** How the pages of the tenant look, and who may sign up. */
export const SignInExperience = Type.Object({
  tenantId: Type.String(),
  id: Type.Literal('default'),
  name,
  color: SignInColor,
  branding: SignInBranding,
  termsOfUseUrl: nullable(url),
  privacyPolicyUrl: nullable(url),
  supportWebsiteUrl: nullable(url),
  signInMode,
  authPolicyIds: policies,
});
export type SignInExperience = Static<typeof SignInExperience>;

export const UpdateSignInExperience = Type.Object(
  {
    name: Type.Optional(nullable(name)),
    color: Type.Optional(Type.Partial(SignInColor)),
    branding: Type.Optional(SignInBranding),
    termsOfUseUrl: Type.Optional(nullable(url)),
    privacyPolicyUrl: Type.Optional(nullable(url)),
    supportWebsiteUrl: Type.Optional(nullable(url)),
    signInMode: Type.Optional(signInMode),
    authPolicyIds: Type.Optional(policies),
  },
  {
    description:
      'What is absent stays, null or an empty text unsets; an object that is given replaces the one there was.',
  },
);
export type UpdateSignInExperience = Static<typeof UpdateSignInExperience>;
