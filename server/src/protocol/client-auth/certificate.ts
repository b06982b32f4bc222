import type { X509Certificate } from 'node:crypto';
import {
  certificateProblem,
  certificateThumbprint,
  certificateTimeProblem,
  parseCertificate,
  subjectOf,
} from '../../kernel/client-certificates.ts';
import type { ClientFacts, CredentialFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';

/**
 * Proves who a client is by the certificate it showed (RFC 8705 §2): one that an authority vouches for under the
 * registered subject (`tls_client_auth`), or a registered one itself (`self_signed_tls_client_auth`). Whether the client
 * exists or not, the certificate is read and its signature verified. Throws a `Refusal`.
 */
export function verifyCertificate(
  ctx: ProtocolContext,
  client: ClientFacts | undefined,
  { clientId, certificate: der }: { clientId: string | undefined; certificate: Buffer },
): CredentialFacts {
  const now = ctx.services.clock.now();
  const certificate = parseCertificate(der);
  const problem = certificate && certificateProblem(certificate, ctx.services.clientAuthorities, now);
  const refuse = (reason: RefusalReason, detail?: string): never => {
    throw new Refusal(reason, { clientId, detail, byCertificate: true });
  };
  if (client === undefined) return refuse('client_unknown');
  if (client.isPublic) return refuse('client_public');
  const bySubject = client.authMethod === 'tls_client_auth';
  if (!bySubject && client.authMethod !== 'self_signed_tls_client_auth') return refuse('auth_method_not_registered');
  if (certificate === undefined) return refuse('certificate_invalid', 'the certificate can not be read');
  const late = certificateTimeProblem(certificate, now);
  if (late !== undefined || (bySubject && problem !== undefined)) return refuse('certificate_invalid', late ?? problem);
  const found = client.credentials.find(matching(certificate, bySubject));
  if (found === undefined) return refuse('certificate_invalid', 'the client has registered no such certificate');
  if (found.expiresAt !== null && found.expiresAt <= now)
    return refuse('certificate_invalid', 'its credential has expired');
  return found;
}

/** Each method looks at what was registered for it, and at nothing else. */
function matching(certificate: X509Certificate, bySubject: boolean): (credential: CredentialFacts) => boolean {
  const wanted = bySubject ? subjectOf(certificate) : certificateThumbprint(certificate.raw);
  return ({ kind, certificateSubject, certificateThumbprint: thumbprint }) =>
    kind === 'certificate' && wanted !== undefined && (bySubject ? certificateSubject : thumbprint) === wanted;
}
