/**
 * Preloaded into a server (`--import`): writes every module that is loaded to a file, in order, a line each, and behind it
 * which heavy parts of Node itself are there by then. JavaScript, so that it does not load the stripper of types itself.
 */
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const parts = {
  amaro: 'NativeModule internal/deps/amaro/dist/index',
  undici: 'NativeModule internal/deps/undici/undici',
};

registerHooks({
  load(url, context, nextLoad) {
    const there = Object.keys(parts).filter((name) => process.moduleLoadList.includes(parts[name]));
    appendFileSync(process.env.RECORD_LOADS_TO, `${[url, ...there].join(' ')}\n`);
    return nextLoad(url, context);
  },
});
