import { DomainError } from '../../kernel/errors.ts';

/** What a verb throws names the field as the caller wrote it; `names` has Logto's for the domain's, or for its first part. */
export async function withNames<T>(names: Readonly<Record<string, string>>, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof DomainError && error.path !== undefined ? nameOf(names, error.path) : undefined;
    if (name === undefined) throw error;
    const { code, message, data } = error as DomainError;
    throw new DomainError(code, message, { path: name, data, cause: error });
  }
}

function nameOf(names: Readonly<Record<string, string>>, path: string): string | undefined {
  const [first = '', ...rest] = path.split('.');
  const name = names[first];
  return names[path] ?? (name === undefined ? undefined : [name, ...rest].join('.'));
}
