/**
 * Lists what a manifest publishes: for each entry its name in `dist`, the source that the workspace imports, and the files that are
 * made of it. An entry without a source of its own, or a file of an unknown kind, is an error of the manifest.
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

/** The files that a condition of `exports` leads to, or one of those within it. */
function filesOf(conditions) {
  return typeof conditions === 'string' ? [conditions] : Object.values(conditions).flatMap(filesOf);
}
