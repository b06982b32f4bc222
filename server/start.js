/**
 * What `npm start` runs. Plain JavaScript: a TypeScript file that is read before the compile cache is on has its types
 * stripped, and loading what strips them is a quarter of a start. With a cache of earlier starts nothing is stripped. The
 * first start has no folder for one yet; `src/main.ts` makes it, once the settings are known to be good.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const folder = join(process.env.SEKISHO_DATA_DIR || 'data', 'compile-cache');
if (existsSync(folder)) enableCompileCache(folder);
await import('./src/main.ts');
