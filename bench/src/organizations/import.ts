import { residentMemory } from '../process.ts';
import type { NativeApi } from './api.ts';
import { userId } from './fill.ts';

export interface Import {
  organizations: number;
  perSecond: number;
  /** Resident memory of the server at each quarter, in megabytes. */
  megabytes: number[];
}

/** Organizations of one request; the API's limit. */
const batchSize = 1000;

/** Imports organizations, each with two members, in batches, one after another. */
export async function importOrganizations(api: NativeApi, serverPid: number, organizations: number): Promise<Import> {
  const megabytes = [];
  const startedAt = performance.now();
  for (let done = 0; done < organizations; done += batchSize) {
    if (done % (organizations / 4) < batchSize) megabytes.push(residentMemory(serverPid)?.nowMegabytes ?? Number.NaN);
    const batch = Array.from({ length: batchSize }, (_, n) => ({
      name: `Imported ${done + n}`,
      members: [{ userId: userId(1 + ((done + n) % 500)) }, { userId: userId(501 + ((done + n) % 500)) }],
    }));
    await api.call('POST', '/organizations/batch', { organizations: batch });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  megabytes.push(residentMemory(serverPid)?.nowMegabytes ?? Number.NaN);
  return { organizations, perSecond: organizations / seconds, megabytes };
}
