import type { Person } from './directory.ts';
import type { OurApp } from './ours.ts';

/** People who sign in again and again, each with the next request when the last one is answered. */
export interface Crowd {
  /** Nobody begins again; resolves when the last one is answered. */
  end(): Promise<{ signedInPerSecond: number; refusedPerSecond: number; longestRefusal: number }>;
}

export function startCrowd(app: OurApp, people: readonly Person[]): Crowd {
  const startedAt = performance.now();
  let ended = false;
  let [signedIn, refused, longestRefusal] = [0, 0, 0];
  const tryOn = async (person: Person) => {
    while (!ended) {
      const { isSignedIn, ms } = await app.signIn(person, 'ldap');
      if (isSignedIn) {
        signedIn += 1;
        continue;
      }
      refused += 1;
      longestRefusal = Math.max(longestRefusal, ms);
    }
  };
  const all = Promise.all(people.map(tryOn));
  // Whoever ends it is told.
  all.catch(() => {});
  return {
    async end() {
      ended = true;
      await all;
      const seconds = (performance.now() - startedAt) / 1000;
      return { signedInPerSecond: signedIn / seconds, refusedPerSecond: refused / seconds, longestRefusal };
    },
  };
}
