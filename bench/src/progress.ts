const startedAt = performance.now();

/** Says on stderr what is being done, with the minutes and seconds since the start: a run takes a while. */
export function progress(text: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  process.stderr.write(`${clock.padStart(6)}  ${text}\n`);
}
