/** Writes `docs/conformance.md` from the table of modules. */
import { writeFileSync } from 'node:fs';
import { pageOf, plans } from './plans.ts';

writeFileSync(new URL('../../../docs/conformance.md', import.meta.url), pageOf(plans));
