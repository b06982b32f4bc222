import { ConfigError } from './read.ts';

/** What `--help` says. */
export const usage = `Usage: npm start [-- options]

  --json   Say what a start says as one JSON object.
  --help   Say this.

Settings are environment variables, SEKISHO_…: docs/configuration.md lists them all.
`;

/** Reads the command line; throws `ConfigError` naming an option there is not. */
export function readArguments(given: readonly string[]): { json: boolean; help: boolean } {
  const unknown = given.find((option) => option !== '--json' && option !== '--help');
  if (unknown !== undefined) {
    throw new ConfigError(
      unknown.slice(0, 64),
      'is not an option: there are --json and --help; settings are environment variables.',
    );
  }
  return { json: given.includes('--json'), help: given.includes('--help') };
}
