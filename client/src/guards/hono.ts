/**
 * Guards for Hono, on any runtime, as middleware:
 *
 *   app.post('/orders', guard.requireScopes('write:orders'), handler)
 */
import type { Verifier, VerifierOptions } from '../verifier/verifier.ts';
import { buildGuard, type Guard, type GuardOptions } from './guard.ts';

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: {
    readonly method: string;
    readonly url: string;
    header(name: string): string | undefined;
    param(name: string): string | undefined;
  };
}

export type HonoGuard = Guard<HonoContext, HonoMiddleware>;
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>;

/** Takes a verifier or its options. Throws a `ConfigurationError`. `accessToken` takes the context. */
export const createGuard = (verifier: Verifier | VerifierOptions, options?: GuardOptions): HonoGuard =>
  buildGuard<HonoContext, HonoMiddleware>(
    {
      authorization({ req }) {
        // Two headers come joined by a comma, which no token has.
        const value = req.header('authorization');
        return value === undefined ? [] : [value];
      },
      sent({ req }) {
        const proof = req.header('dpop');
        const { pathname } = new URL(req.url);
        return { method: req.method, path: pathname, proofs: proof === undefined ? [] : [proof] };
      },
      parameter: ({ req }, name) => req.param(name),
      middleware: (check) => async (context, next) => {
        const { refusal } = await check(context);
        if (refusal !== undefined) return new Response(refusal.body, refusal);
        await next();
        return undefined;
      },
    },
    verifier,
    options,
  );

export type { GuardOptions, OrganizationOptions } from './guard.ts';
export type { Refusal } from './refusal.ts';
