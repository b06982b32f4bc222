/** Preloaded into a server (`--import`): writes every module that Node loads to a file, in order, a line each. */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env.RECORD_LOADS_TO;
if (file === undefined) throw new Error('RECORD_LOADS_TO names no file.');

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
