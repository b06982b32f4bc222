import { Problem } from '@sekisho/contract';

/** What any call can be answered with, beside its success. */
export const failures = { 400: Problem, 401: Problem, 403: Problem };

/** What a call that names one thing can be answered with, beside its success. */
export const failuresOfOne = { ...failures, 404: Problem };
