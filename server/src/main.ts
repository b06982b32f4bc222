/** The process: settings in, a listening server out, signals handled. */
import { mkdirSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';

// Nobody else reads what this process writes: database, keys, cache.
process.umask(0o077);

const { ConfigError, readSettings } = await import('./config/read.ts');
const { listenError, startReport } = await import('./start-report.ts');

try {
  const { settings, hints } = readSettings(process.env);
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
  const { host, port } = settings;
  await composed.server.listen({ host, port }).catch(async (error) => {
    await composed.close();
    throw listenError(error, host, port);
  });
  for (const hint of [...hints, ...composed.started.warnings]) composed.services.logger.warn(hint);
  process.stdout.write(startReport(settings, composed, process.argv.includes('--json')));

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
} catch (error) {
  const known = error instanceof ConfigError || (error as Error).message.startsWith('SEKISHO_');
  process.stderr.write(
    `sekisho: ${known ? (error as Error).message : `could not start: ${(error as Error).message}`}\n`,
  );
  process.exit(1);
}
