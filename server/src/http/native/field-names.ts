import { DomainError } from '../../kernel/errors.ts';

/** What a verb throws names the field as the caller wrote it; `names` has Logto's for the domain's. */
export async function withNames<T>(names: Readonly<Record<string, string>>, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof DomainError && error.path !== undefined ? names[error.path] : undefined;
    if (name === undefined) throw error;
    const { code, message, data } = error as DomainError;
    throw new DomainError(code, message, { path: name, data, cause: error });
  }
}
