/**
 * Lists the entries that a manifest publishes: the name in `dist`, the source that the workspace
 * imports, and the files to build. Throws for an entry without a source, or a file of unknown kind.
 */
export function publishedEntries({ name, exports, publishConfig }) {
  return Object.entries(publishConfig?.exports ?? {}).map(([subpath, conditions]) => {
    const source = exports[subpath];
    if (typeof source !== 'string') throw new Error(`${name}: publishes "${subpath}", which exports lacks.`);
    const files = filesOf(conditions);
    return {
      name: subpath === '.' ? 'index' : subpath.slice(2),
      source,
      scripts: files.filter((file) => /\.c?js$/.test(file)),
      declarations: files.filter((file) => /\.d\.c?ts$/.test(file)),
    };
  });
}

/** Lists the files of a condition of `exports`, nested conditions included. */
function filesOf(conditions) {
  return typeof conditions === 'string' ? [conditions] : Object.values(conditions).flatMap(filesOf);
}
