import { IcecoreError } from '../errors.ts';
import { allowedFunctions, allowedTableFunctions } from './allowed-functions.ts';
import type { ParsedSelect, TableReference } from './select.ts';
import { byteLocation, isNode, placeOf, type SyntaxNode, type SyntaxValue } from './syntax-tree.ts';
import { referenceOf } from './table-reference.ts';

/** Names of common table expressions in sight, lower case, with the name that each was given instead. */
type Scope = ReadonlyMap<string, string>;

const expressionClasses = new Set(
  (
    'BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER ' +
    'POSITIONAL_REFERENCE STAR SUBQUERY WINDOW'
  ).split(' '),
);
const queryNodes = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE']);
const otherNodes = new Set(
  (
    'BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY PIVOT ' +
    'ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING'
  ).split(' '),
);

/** Walks one tree: what is not known to be harmless is refused. */
class SelectCheck {
  readonly references: TableReference[] = [];
  readonly parameters = new Set<number>();
  readonly #statement: string;
  #commonTables = 0;

  constructor(statement: string) {
    this.#statement = statement;
  }

  /** The value with its tables and CTEs renamed. */
  walk(value: SyntaxValue, scope: Scope): SyntaxValue {
    if (Array.isArray(value)) return value.map((item) => this.walk(item, scope));
    if (!isNode(value) || 'rawJSON' in value) return value;
    if (typeof value.class === 'string') this.#checkExpression(value);
    else if (typeof value.type === 'string') {
      if (queryNodes.has(value.type)) return this.#query(value, scope);
      if (value.type === 'BASE_TABLE') return this.#table(value, scope);
      this.#checkNode(value, value.type);
    } else if (isNode(value.type) && 'is_null' in value) {
      // A constant: its value is data, and data has no tables.
      return value;
    }
    return this.#members(value, scope);
  }

  #members(node: SyntaxNode, scope: Scope): SyntaxNode {
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, this.walk(member, scope)]));
  }

  #refuse(node: SyntaxNode, what: string): IcecoreError {
    const byte = byteLocation(node);
    const where = byte === null ? '' : ` at ${placeOf(this.#statement, byte)}`;
    return new IcecoreError('BAD_USER_INPUT', `The SELECT may not use ${what}${where}.`);
  }

  #checkExpression(node: SyntaxNode): void {
    const kind = String(node.class);
    if (!expressionClasses.has(kind)) throw this.#refuse(node, `an expression of the kind ${kind}`);
    if (kind === 'PARAMETER') this.#parameter(node);
    if (kind === 'FUNCTION' || kind === 'WINDOW') this.#checkFunction(node, allowedFunctions);
  }

  #parameter(node: SyntaxNode): void {
    const number = Number(node.identifier);
    if (!Number.isInteger(number) || number < 1) {
      throw this.#refuse(node, `the named parameter $${node.identifier}; parameters are a list: write ? or $1`);
    }
    this.parameters.add(number);
  }

  #checkFunction(node: SyntaxNode, allowed: ReadonlySet<string>): void {
    const name = String(node.function_name);
    const isBuiltIn = (node.catalog === '' || node.catalog === 'system') && (node.schema === '' || node.schema === 'main');
    if (!isBuiltIn || !allowed.has(name.toLowerCase())) {
      const kind = allowed === allowedTableFunctions ? 'table function' : 'function';
      throw this.#refuse(node, `the ${kind} ${name}; only tables and functions that compute from their arguments are allowed`);
    }
  }

  #checkNode(node: SyntaxNode, type: string): void {
    if (type.endsWith('_TYPE_INFO')) {
      // Types by their own name alone: a qualified one would be looked up in a catalog.
      if ((node.catalog ?? '') !== '' || (node.schema ?? '') !== '') throw this.#refuse(node, 'a type of another schema');
      return;
    }
    if (!otherNodes.has(type)) {
      throw this.#refuse(node, type === 'SHOW_REF' ? 'DESCRIBE, SHOW or SUMMARIZE' : `a construct of the kind ${type}`);
    }
    if (type === 'TABLE_FUNCTION') {
      if (!isNode(node.function) || node.function.class !== 'FUNCTION') throw this.#refuse(node, 'this table function');
      this.#checkFunction(node.function, allowedTableFunctions);
    }
    if (type === 'PIVOT' && !hasNoEnums(node.pivots)) throw this.#refuse(node, 'PIVOT over an enumeration');
  }

  /** A query's CTEs are in sight of those after them and of its body, a recursive one of itself too. */
  #query(node: SyntaxNode, outer: Scope): SyntaxNode {
    const scope = new Map(outer);
    const entries = isNode(node.cte_map) && Array.isArray(node.cte_map.map) ? node.cte_map.map : [];
    const commonTables = entries.map((entry: SyntaxValue) => {
      if (!isNode(entry) || !isNode(entry.value)) throw new IcecoreError('INTERNAL', 'A CTE of an unknown shape.');
      const given = `icecore_cte_${this.#commonTables++}`;
      const query = isNode(entry.value.query) && isNode(entry.value.query.node) ? entry.value.query.node : null;
      const isRecursive = query?.type === 'RECURSIVE_CTE_NODE';
      const name = String(entry.key).toLowerCase();
      const inside = isRecursive ? new Map(scope).set(name, given) : scope;
      const walked = this.#members(entry.value, inside);
      scope.set(name, given);
      return { key: given, value: isRecursive ? renameRecursive(walked, given) : walked };
    });
    return { ...this.#members({ ...node, cte_map: null }, scope), cte_map: { map: commonTables } };
  }

  #table(node: SyntaxNode, scope: Scope): SyntaxNode {
    const [catalog, schema, name] = [String(node.catalog_name), String(node.schema_name), String(node.table_name)];
    if (isNode(node.sample)) this.walk(node.sample, scope);
    const commonTable = catalog === '' && schema === '' ? scope.get(name.toLowerCase()) : undefined;
    if (commonTable !== undefined) {
      if (node.at_clause !== null)
        throw this.#refuse(node, `time travel on "${name}", which is no table but a part of the statement`);
      return { ...node, table_name: commonTable, alias: node.alias === '' ? name : (node.alias ?? name) };
    }
    const byte = byteLocation(node);
    const place = byte === null ? 'an unknown place' : placeOf(this.#statement, byte);
    const index = this.references.push(referenceOf(node, place)) - 1;
    return { ...node, catalog_name: '', schema_name: '', table_name: `icecore_reference_${index}`, at_clause: null };
  }
}

function hasNoEnums(pivots: SyntaxValue | undefined): boolean {
  return Array.isArray(pivots) && pivots.every((pivot) => isNode(pivot) && pivot.pivot_enum === '');
}

/** The node of a recursive CTE repeats its name. */
function renameRecursive(value: SyntaxNode, given: string): SyntaxNode {
  const query = isNode(value.query) ? value.query : {};
  const node = isNode(query.node) ? query.node : {};
  return { ...value, query: { ...query, node: { ...node, cte_name: given } } };
}

/** The checked statement: see `ParsedSelect`. Throws BAD_USER_INPUT. */
export function checkSelect(tree: SyntaxNode, statement: string): Omit<ParsedSelect, 'statement'> {
  const check = new SelectCheck(statement);
  const statements = Array.isArray(tree.statements) ? tree.statements : [];
  const walked = check.walk(statements, new Map());
  return {
    references: check.references,
    parameterCount: Math.max(0, ...check.parameters),
    tree: { ...tree, statements: walked },
  };
}
