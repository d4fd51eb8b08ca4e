import { fileURLToPath } from 'node:url';

/** Of the repository, and of what the bench uses in it. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));
export const BENCH: string = `${ROOT}bench/`;
export const PEERS: string = `${BENCH}peers/`;
/** The bundle of an app. */
export const bundleOf = (app: string): string => `${ROOT}apps/${app}/dist/main.js`;
