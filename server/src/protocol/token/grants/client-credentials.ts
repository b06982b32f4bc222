import type { GrantType } from './grant-type.ts';

/** RFC 6749 §4.4: the client speaks for itself. The pipeline's own checks are all there is; no refresh token (§4.4.3). */
export const clientCredentials: GrantType = { speaksFor: 'client' };
