import { type MemberExpression, type Program, parseSync, Visitor } from 'oxc-parser';

/** A place in a program that joins, publishes, reads or looks at a group. */
export interface Door {
  /** Line number, from 1. */
  readonly line: number;
  /** Method or function that it is in, such as `Groups.join`; '' outside of them. */
  readonly place: string;
  /** Property that is used, with the object that has it, such as `hub.history`. */
  readonly use: string;
  /** Whether a permission is asked before it in the same function. */
  readonly isAsked: boolean;
}

/** Doors beside the methods of the hub. */
const OWN_DOORS: readonly string[] = ['#enter', '#joinByServer', 'joinByServer', 'positionOf'];

/** Doors of these objects only: others have properties with the same names. */
const OF_OBJECT: ReadonlySet<string> = new Set(['members.add', 'pageRequests.add']);

/** Properties that ask. */
const ASKS: ReadonlySet<string> = new Set([
  'permissions.check',
  'permissions.checkJoin',
  'permissions.joinRefusal',
  'permissions.may',
  'permissions.refusal',
  'deps.removeIfForbidden',
]);

interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface Use {
  readonly use: string;
  readonly start: number;
}

/** Returns the names of the methods of an interface, with those that it picks from others. */
export function methodsOf(fileName: string, program: string, interfaceName: string): readonly string[] {
  const names: string[] = [];
  let isInside = false;
  new Visitor({
    TSInterfaceDeclaration({ id }) {
      isInside = id.name === interfaceName;
    },
    'TSInterfaceDeclaration:exit'() {
      isInside = false;
    },
    TSMethodSignature({ key }) {
      if (isInside) names.push(nameOf(key));
    },
    TSLiteralType({ literal }) {
      if (isInside) names.push(nameOf(literal));
    },
  }).visit(parse(fileName, program));
  return names;
}

/**
 * Returns the doors of a program in TypeScript. `hubMethods` are doors of any object, because a
 * variable may have any name.
 */
export function doorsOf(fileName: string, program: string, hubMethods: readonly string[]): readonly Door[] {
  const ofAnyObject = new Set([...hubMethods, ...OWN_DOORS]);
  const isDoor = ({ use }: Use): boolean =>
    OF_OBJECT.has(use) || ofAnyObject.has(use.slice(use.indexOf('.') + 1));
  const classes: Range[] = [];
  const functions: Range[] = [];
  const uses: Use[] = [];
  new Visitor({
    ClassDeclaration({ id, start, end }) {
      classes.push({ name: `${id?.name ?? ''}.`, start, end });
    },
    FunctionDeclaration({ id, start, end }) {
      functions.push({ name: id?.name ?? '', start, end });
    },
    MethodDefinition({ key, start, end }) {
      functions.push({ name: nameOf(key), start, end });
    },
    PropertyDefinition({ key, value, start, end }) {
      if (value?.type === 'ArrowFunctionExpression') functions.push({ name: nameOf(key), start, end });
    },
    MemberExpression(node) {
      uses.push({ use: useOf(node), start: node.end });
    },
    // A door without its object: const { history } = hub.
    ObjectPattern({ properties }) {
      for (const property of properties) {
        if (property.type === 'Property')
          uses.push({ use: `.${nameOf(property.key)}`, start: property.start });
      }
    },
  }).visit(parse(fileName, program));
  return uses.filter(isDoor).map(({ use, start }) => {
    const own = innermost(functions, start);
    const isAsked = uses.some(
      (other) => ASKS.has(other.use) && other.start < start && innermost(functions, other.start) === own,
    );
    const place = own === undefined ? '' : `${innermost(classes, start)?.name ?? ''}${own.name}`;
    return { line: program.slice(0, start).split('\n').length, place, use, isAsked };
  });
}

function parse(fileName: string, program: string): Program {
  const parsed = parseSync(fileName, program);
  if (parsed.errors.length > 0) throw new Error(`${fileName}: ${parsed.errors[0]?.message}`);
  return parsed.program;
}

/** Returns a property with the last name of its object, without the marks of private names. */
function useOf({ object, property }: MemberExpression): string {
  const owner = object.type === 'MemberExpression' ? nameOf(object.property) : nameOf(object);
  return `${owner.replace('#', '')}.${nameOf(property)}`;
}

function nameOf(node: { readonly type: string }): string {
  if (node.type === 'Identifier') return (node as unknown as { readonly name: string }).name;
  if (node.type === 'PrivateIdentifier') return `#${(node as unknown as { readonly name: string }).name}`;
  if (node.type === 'Literal') return String((node as unknown as { readonly value: unknown }).value);
  return '';
}

function innermost(ranges: readonly Range[], at: number): Range | undefined {
  const around = ranges.filter(({ start, end }) => start <= at && at <= end);
  return around.reduce<Range | undefined>(
    (inner, range) => (inner === undefined || range.start > inner.start ? range : inner),
    undefined,
  );
}
