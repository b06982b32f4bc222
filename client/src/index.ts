/**
 * `@sekisho/client`: access tokens for machines (`OAuthClient`), and their verification in APIs (`createVerifier`). The
 * guards for frameworks are entry points of their own: `/fastify`, `/express`, `/hono`, `/node`; `/testing` mints tokens
 * for your tests.
 */
export * from './errors.ts';
export type { Refusal } from './guards/refusal.ts';
export type { Fetch } from './http/send.ts';
export type { AsymmetricAlgorithm, Jwk, SigningAlgorithm, SymmetricAlgorithm } from './jose/algorithms.ts';
export type { PrivateKey } from './jose/private-key.ts';
export { type CallOptions, OAuthClient, type OAuthClientOptions } from './oauth/client.ts';
export type { ClientCredentials } from './oauth/client-authentication.ts';
export type { DpopOptions, DpopRequest } from './oauth/dpop.ts';
export { MemoryTokenCache, type TokenCache } from './oauth/token-cache.ts';
export type { TokenRequest, TokenResponse } from './oauth/token-endpoint.ts';
export type { AccessToken } from './verifier/claims.ts';
export type { PresentedProof, UsedProofs } from './verifier/dpop.ts';
export type { IntrospectionOptions } from './verifier/introspection.ts';
export { createVerifier, type Verifier, type VerifierOptions, type VerifyOptions } from './verifier/verifier.ts';
