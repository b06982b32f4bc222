import type { TypedConfiguration } from '../policy.ts';

/** Whether this installation can do what the configuration asks for. Throws `input.invalid`. */
export async function assertMechanism(_typed: TypedConfiguration): Promise<void> {}
