import { type Static, Type } from 'typebox';

const method = Type.Union([Type.Literal('tls_client_auth'), Type.Literal('self_signed_tls_client_auth')], {
  description:
    '`tls_client_auth`: any certificate with the subject counts that a trusted authority (SEKISHO_TLS_CLIENT_CA) issued. `self_signed_tls_client_auth`: the certificate itself counts (RFC 8705).',
});
const nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);
const name = Type.String({ minLength: 1, maxLength: 128 });

/** A certificate that an application proves itself with. Times in milliseconds. */
export const ApplicationCertificate = Type.Object({
  tenantId: Type.String(),
  applicationId: Type.String(),
  id: Type.String(),
  name,
  method,
  subject: nullable(
    Type.String({ description: 'RFC 4514, in one canonical form.', examples: ['CN=warehouse,O=Example'] }),
  ),
  thumbprint: nullable(Type.String({ description: 'SHA-256 of the certificate, base64url.' })),
  createdAt: Type.Integer(),
  expiresAt: nullable(Type.Integer()),
  lastUsedAt: nullable(Type.Integer()),
});
export type ApplicationCertificate = Static<typeof ApplicationCertificate>;

export const CreateApplicationCertificate = Type.Object(
  {
    method,
    name: Type.Optional(name),
    subject: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: 'RFC 4514; with tls_client_auth.' }),
    ),
    certificate: Type.Optional(
      Type.String({ minLength: 1, maxLength: 16_384, description: 'PEM; instead of a subject.' }),
    ),
    expiresAt: Type.Optional(nullable(Type.Integer({ minimum: 0 }))),
  },
  { examples: [{ method: 'tls_client_auth', subject: 'CN=warehouse,O=Example,C=JP' }] },
);
export type CreateApplicationCertificate = Static<typeof CreateApplicationCertificate>;

/** What the tokens of an application are bound to. */
export const TokenBinding = Type.Object({
  requiresDpop: Type.Boolean({
    description:
      'Tokens are issued with a DPoP proof only (RFC 9449). With a proof they are bound to its key in any case.',
  }),
  bindsTokensToCertificate: Type.Boolean({
    description: 'Tokens are bound to the certificate the application shows, and issued with one only (RFC 8705).',
  }),
});
export type TokenBinding = Static<typeof TokenBinding>;

export const UpdateTokenBinding = Type.Partial(TokenBinding);
export type UpdateTokenBinding = Static<typeof UpdateTokenBinding>;
