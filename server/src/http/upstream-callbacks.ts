/** Where upstreams send browsers back to: what is registered at a provider, and who waits there. */

/** Of the sign-in pages; the id of the policy follows. */
export const pageCallbackPath = '/sign-in/callback';

/** Of apps, for every policy: those that people moved from RHMAP have it registered at their providers. */
export const appCallbackPath = '/box/srv/1.1/arm/authCallback';
