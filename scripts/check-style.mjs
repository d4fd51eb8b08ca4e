// Checks the rules of docs/STYLE.md that a script can see: words, widths, doc comments.
// Usage: node scripts/check-style.mjs [FILE|FOLDER…]; without paths, all files that Git knows.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, relative } from 'node:path';

/** Columns of a Markdown line or of a line with a comment. */
const COLUMNS_MAX = 100;
/** Findings to print. Beyond that, only the counts per folder help. */
const PRINTED_MAX = 300;

const SLASH_COMMENTS = new Set([
  '.ts',
  '.tsx',
  '.mts',
  '.mjs',
  '.js',
  '.cjs',
  '.php',
  '.c',
  '.css',
  '.jsonc',
]);
const HASH_COMMENTS = new Set(['.sh', '.yml', '.yaml', '.py']);
const OTHER_TEXT = new Set(['.md', '.html']);
/** Files that must quote the words. */
const EXEMPT =
  /(^|\/)(scripts\/check-style\.mjs|tests\/docs\/style\.test\.ts|docs\/STYLE\.md|pnpm-lock\.yaml)$/;

/** Words that are not plain technical English, and what to write instead. */
const WORDS = [
  [/\bwho(m|m?ever)\b/i, 'name the client, peer, caller or user'],
  [/\bas may be\b/i, 'say that the limit is reached'],
  [/\bmend(s|ed|ing)?\b/i, 'fix, correct or repair'],
  [/\banew\b/i, 'again, or a new one'],
  [/\bwithout ado\b/i, 'immediately'],
  [/\bin good order\b/i, 'gracefully, or with its code'],
  [/\bis none\b/i, 'is invalid, or does not exist'],
  [/\bso (many|much|long)\b/i, 'name the number, or "while"'],
  [/\bpractis(e|es|ed|ing)\b/i, 'warm up'],
  [/\b(nobody|somebody|everybody)\b/i, 'name the actor'],
  [/\bwhat came\b/i, 'what was received'],
  [/\b(is|are) handed\b/i, 'receives, or is delivered to'],
  [/\b(is|are) taken\b/i, 'accepted, used or measured'],
];

/** First words of a doc comment that hide its subject. */
const SUBJECTLESS = /^\s*\/\*\*\s*(What|Who|Whoever|Whom|Whomever|Where)\b/;

/** Returns the findings in one file as `{ line, message }`. */
function check(path, text) {
  const lines = text.split('\n');
  const found = [...findWords(lines)];
  const type = extname(path);
  if (type === '.md') found.push(...findWideMarkdown(lines));
  if (SLASH_COMMENTS.has(type)) found.push(...findInSlashComments(lines));
  if (HASH_COMMENTS.has(type) || isScript(text)) found.push(...findWideHashComments(lines));
  if (EXEMPT.test(path)) return found.filter(({ message }) => message.includes('columns'));
  return found.sort((a, b) => a.line - b.line);
}

function* findWords(lines) {
  // Text wraps, so a phrase of two words is also searched for across the end of a line.
  for (const [index, line] of lines.entries()) {
    const next = (lines[index + 1] ?? '').replace(/^\s*(\/\/|\*|#|>)?\s*/, '');
    for (const [pattern, instead] of WORDS) {
      const match = pattern.exec(line) ?? acrossLines(pattern, line, next);
      if (match) yield { line: index + 1, message: `"${match[0]}": ${instead}` };
    }
  }
}

function acrossLines(pattern, line, next) {
  const joined = `${line.trimEnd()} ${next}`;
  const match = pattern.exec(joined);
  const end = line.trimEnd().length;
  return match && match.index < end && match.index + match[0].length > end ? match : undefined;
}

function* findWideMarkdown(lines) {
  let fenced = false;
  let inList = false;
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) {
      fenced = !fenced;
      continue;
    }
    if (/^\s{0,3}([-*+]|\d+\.)\s/.test(line)) inList = true;
    else if (/^\S/.test(line)) inList = false;
    const isCode = fenced || /^\s*\|/.test(line) || (/^( {4}|\t)/.test(line) && !inList);
    if (!isCode) yield* findWide(index, line, line.replace(/\]\([^()]*\)/g, ']'));
  }
}

function* findInSlashComments(lines) {
  let inBlock = false;
  for (const [index, line] of lines.entries()) {
    const begins = /^\s*\/\*/.test(line);
    inBlock ||= begins;
    if (inBlock || /^\s*\/\/|\s\/\/ /.test(line)) yield* findWide(index, line, line);
    if (inBlock && line.includes('*/')) inBlock = false;
    // The sentence may begin in the line after the opening of the block.
    const opening = /^\s*\/\*\*\s*$/.test(line)
      ? `/** ${(lines[index + 1] ?? '').replace(/^\s*\*\s?/, '')}`
      : line;
    const subject = SUBJECTLESS.exec(opening);
    if (subject) {
      yield {
        line: index + 1,
        message: `doc comment begins with "${subject[1]}": begin with a verb, a noun or a unit`,
      };
    }
  }
}

function* findWideHashComments(lines) {
  for (const [index, line] of lines.entries()) {
    if (/^\s*#/.test(line)) yield* findWide(index, line, line);
  }
}

/** `breakable` is the line without the parts that cannot wrap. */
function* findWide(index, line, breakable) {
  const width = breakable.replace(/\bhttps?:\/\/\S+/g, '').trimEnd().length;
  if (width > COLUMNS_MAX && !/biome-ignore|@ts-expect-error/.test(line)) {
    yield { line: index + 1, message: `${line.trimEnd().length} columns: wrap at ${COLUMNS_MAX}` };
  }
}

function isScript(text) {
  return /^#!.*\b(ba)?sh\b/.test(text);
}

function list(paths) {
  const isFile = (path) => existsSync(path) && statSync(path).isFile();
  const files = paths.filter(isFile);
  const folders = paths.filter((path) => !isFile(path));
  if (paths.length > 0 && folders.length === 0) return files;
  const flags = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...folders];
  const known = execFileSync('git', flags, { encoding: 'utf8', maxBuffer: 1e8 }).split('\0');
  return [...files, ...known.filter((path) => path !== '' && existsSync(path))];
}

function hasStyle(path) {
  const type = extname(path);
  if (/(^|\/)(golden|node_modules|dist)\//.test(path)) return false;
  return (
    SLASH_COMMENTS.has(type) || HASH_COMMENTS.has(type) || OTHER_TEXT.has(type) || /(^|\/)\.ci\//.test(path)
  );
}

function countByFolder(findings) {
  const counts = new Map();
  for (const { path } of findings) {
    const folder = dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

const paths = process.argv.slice(2);
const findings = list(paths)
  .filter(hasStyle)
  .flatMap((path) =>
    check(path, readFileSync(path, 'utf8')).map((finding) => ({ path: relative('.', path), ...finding })),
  );
if (paths.length > 0 || findings.length <= PRINTED_MAX) {
  for (const { path, line, message } of findings) console.log(`${path}:${line}: ${message}`);
}
if (paths.length === 0) {
  for (const [folder, count] of countByFolder(findings))
    console.log(`${String(count).padStart(5)}  ${folder}`);
}
console.log(`${findings.length} findings${findings.length > 0 ? '; docs/STYLE.md explains the rules' : ''}`);
process.exitCode = findings.length > 0 ? 1 : 0;
