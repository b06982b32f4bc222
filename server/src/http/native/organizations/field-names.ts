import { DomainError } from '../../../kernel/errors.ts';

/** Fields whose name in Logto's bodies is not the domain's. */
const logtosNames: Record<string, string> = { metadata: 'customData', mfaRequired: 'isMfaRequired' };

/** What a verb throws names the field as the caller wrote it. */
export async function inLogtosWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const name = error instanceof DomainError && error.path !== undefined ? logtosNames[error.path] : undefined;
    if (name === undefined) throw error;
    const { code, message, data } = error as DomainError;
    throw new DomainError(code, message, { path: name, data, cause: error });
  }
}
