/** The process: settings in, a listening server out, signals handled. */
import { mkdirSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';

// Nobody else reads what this process writes: database, keys, cache.
process.umask(0o077);

const { readArguments, usage } = await import('./config/arguments.ts');
const { ConfigError, readSettings } = await import('./config/read.ts');
const { assertCanListen, listenError } = await import('./listen.ts');
const { startReport } = await import('./start-report.ts');

try {
  const { json, help } = readArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const { settings, hints } = readSettings(process.env);
  const { host, port } = settings;
  await assertCanListen(host, port);
  // Before the rest is imported: compiled code is kept beside the data, which saves most of a start's time.
  if (settings.databaseUrl !== 'sqlite::memory:') {
    try {
      mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
      module.enableCompileCache(join(settings.dataDir, 'compile-cache'));
    } catch {
      // The folder's own check says what is wrong with it.
    }
  }
  const { compose } = await import('./compose.ts');
  const composed = await compose(settings);
  await composed.server.app.listen({ host, port }).catch(async (error) => {
    await composed.close();
    throw listenError(error, host, port);
  });
  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      // Requests under way are answered; then the process ends.
      composed.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }

  // Last: who reads that the server is ready may send it a signal at once.
  for (const hint of [...hints, ...composed.started.warnings]) composed.services.logger.warn(hint);
  process.stdout.write(startReport(settings, composed, json));
} catch (error) {
  const message = (error as Error).message.replace(/\s+/g, ' ').trim();
  const known = error instanceof ConfigError || message.startsWith('SEKISHO_');
  process.stderr.write(`sekisho: ${known ? message : `could not start: ${message}`}\n`);
  process.exit(1);
}
