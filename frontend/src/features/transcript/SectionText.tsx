import { memo, useMemo } from "react";
import { type LaidBlock, layOut } from "./markdown/layout";
import { type Structure, unstructured } from "./markdown/structure";
import type { Section } from "./sections";
import { type TokenLooks, looksSame } from "./tokenLooks";
import { TokenRow } from "./TokenParts";

interface SectionTextProps extends TokenLooks {
  readonly section: Pick<Section, "start" | "end">;
  /** The template's tokens are shown in their places. */
  readonly hasTemplate: boolean;
  /** Finds the structure of the text; null shows it as it is. */
  readonly lex: ((text: string) => Structure) | null;
  /** As part of a line, without blocks. */
  readonly isInline: boolean;
}

/** The tokens of one speaker. Rendered again only when something in its own range changed. */
export const SectionText = memo(function SectionText(props: SectionTextProps) {
  const { section, hasTemplate, lex, isInline, ...looks } = props;
  const { tokens, pieces } = looks;
  const { start, end } = section;
  const blocks = useMemo(() => {
    const shown = tokens.slice(start, end).flatMap(({ index, role, text }) => {
      const isTemplate = role === "template";
      return isTemplate && !hasTemplate ? [] : [{ index, isTemplate, text: pieces[index]?.text ?? text }];
    });
    const text = shown.map((token) => (token.isTemplate ? "" : token.text)).join("");
    return layOut(shown, lex === null ? unstructured(text) : lex(text));
  }, [tokens, pieces, start, end, hasTemplate, lex]);
  if (isInline) {
    return blocks.map((block, number) => <TokenRow key={number} parts={block.rows.flat(2)} {...looks} />);
  }
  return blocks.map((block, number) => <BlockText key={number} block={block} {...looks} />);
}, isSame);

function isSame(before: SectionTextProps, after: SectionTextProps): boolean {
  const { start, end } = after.section;
  if (before.section.start !== start || before.section.end !== end) return false;
  if (before.hasTemplate !== after.hasTemplate || before.lex !== after.lex) return false;
  if (before.isInline !== after.isInline) return false;
  for (let index = start; index < end; index += 1) if (!looksSame(before, after, index)) return false;
  return true;
}

interface BlockTextProps extends TokenLooks {
  readonly block: LaidBlock;
}

function BlockText({ block, ...looks }: BlockTextProps) {
  const { kind, level, language, hang, rows } = block;
  if (kind === "code" || kind === "table") {
    return (
      <div data-language={language === "" ? undefined : language} className="md-framed">
        {/* A block that scrolls sideways takes the keyboard, so that it can be scrolled by keys. */}
        <div
          role="group"
          aria-label={kind === "table" ? "Table" : language === "" ? "Code" : `Code, ${language}`}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          dir={kind === "code" ? "ltr" : "auto"}
          className={`md-${kind}-block`}
        >
          {kind === "table"
            ? rows.map((cells, row) => (
                <div key={row} className="md-row">
                  {cells.map((parts, cell) => (
                    <span key={cell} className="md-cell">
                      <TokenRow parts={parts} {...looks} />
                    </span>
                  ))}
                </div>
              ))
            : rows.map((cells, row) => <TokenRow key={row} parts={cells.flat()} {...looks} />)}
        </div>
      </div>
    );
  }
  return (
    <div
      dir="auto"
      data-level={level === 0 ? undefined : level}
      className={`md-block md-${kind}-block`}
      style={
        hang === 0 ? undefined : { paddingInlineStart: leadWidth(hang), textIndent: `-${leadWidth(hang)}` }
      }
    >
      <TokenRow parts={rows.flat(2)} {...looks} />
    </div>
  );
}

/** The lead is set in JetBrains Mono at 13 px, whose characters are 0.6 em wide. */
const leadWidth = (characters: number): string => `${(characters * 0.6 * 13) / 16}rem`;
