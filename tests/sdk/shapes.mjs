/* Whether a value is what the SDK's declarations say, by the compiler's own reading of them. */
import path from 'node:path';
import ts from 'typescript';
import { root } from '../stack.mjs';

const file = path.join(root, 'sdk/types/index.d.mts');
const program = ts.createProgram([file], {
  strict: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: [],
});
const checker = program.getTypeChecker();
const source = program.getSourceFile(file);
const exported = new Map(
  checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map((symbol) => [symbol.name, symbol]),
);
const client = checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(exported.get('HumanOpsClient')));

/* What a method's promise, or a list's page, holds. */
export function answerType(method) {
  const symbol = client.getProperty(method);
  if (symbol === undefined) throw new Error(`the declarations have no method ${method}`);
  const returned = checker.getTypeOfSymbolAtLocation(symbol, source).getCallSignatures()[0].getReturnType();
  return checker.getTypeArguments(returned).at(-1);
}

export const declaredMethods = () => client.getProperties().map((symbol) => symbol.name);

const isPlain = (type, value) =>
  (type.flags & ts.TypeFlags.Literal &&
    (type.flags & ts.TypeFlags.BooleanLiteral ? checker.typeToString(type) === String(value) : type.value === value)) ||
  (type.flags & ts.TypeFlags.String && typeof value === 'string') ||
  (type.flags & ts.TypeFlags.Number && typeof value === 'number') ||
  (type.flags & ts.TypeFlags.Null && value === null);

/* Faults, each with its place; none if the value fits. */
export function faults(value, type, where = '') {
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [];
  if (type.isUnion()) {
    const all = type.types.map((one) => faults(value, one, where));
    return all.find((list) => list.length === 0) ?? all.sort((a, b) => b[0].length - a[0].length)[0];
  }
  if (!(type.flags & ts.TypeFlags.Object))
    return isPlain(type, value) ? [] : [`${where} is ${JSON.stringify(value)}, not ${checker.typeToString(type)}`];
  if (value === null || typeof value !== 'object')
    return [`${where} is ${JSON.stringify(value)}, not ${checker.typeToString(type)}`];
  if (checker.isArrayType(type))
    return Array.isArray(value)
      ? value.flatMap((one, i) => faults(one, checker.getTypeArguments(type)[0], `${where}[${i}]`))
      : [`${where} is no list`];
  const known = new Set(checker.getPropertiesOfType(type).map(({ name }) => name)),
    isOpen = checker.getIndexInfosOfType(type).length > 0;
  const unknown = isOpen
    ? []
    : Object.keys(value)
        .filter((name) => !known.has(name))
        .map((name) => `${where}.${name} is not declared`);
  return unknown.concat(
    checker.getPropertiesOfType(type).flatMap((property) => {
      const place = `${where}.${property.name}`;
      if (value[property.name] === undefined)
        return property.flags & ts.SymbolFlags.Optional ? [] : [`${place} is missing`];
      return faults(value[property.name], withoutUndefined(checker.getTypeOfSymbol(property)), place);
    }),
  );
}

function withoutUndefined(type) {
  if (!type.isUnion()) return type;
  const rest = type.types.filter((one) => !(one.flags & ts.TypeFlags.Undefined));
  return rest.length === 1 ? rest[0] : { ...type, flags: type.flags, types: rest, isUnion: () => true };
}
