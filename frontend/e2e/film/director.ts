/** Films the page: frames with their durations, a pointer that moves, and a line that says what happens. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "@playwright/test";

const PYTHON = fileURLToPath(new URL("../../../backend/.venv/bin/python", import.meta.url));
const ASSEMBLE = fileURLToPath(new URL("assemble.py", import.meta.url));

/** Of a pointer on its way, in milliseconds. */
const STEP_MS = 60;
const STEPS = 5;

export class Director {
  readonly #page: Page;
  readonly #folder: string;
  readonly #durations: number[] = [];
  #at = { x: 640, y: 640 };

  constructor(page: Page, folder: string) {
    this.#page = page;
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  /** Draws pointer and caption; again after each load of the page. */
  async begin(): Promise<void> {
    await this.#page.evaluate(() => {
      const layer = document.createElement("div");
      layer.id = "film";
      layer.style.cssText = "position:fixed;inset:0;pointer-events:none;z-index:2147483647";
      layer.innerHTML =
        '<svg id="film-pointer" width="22" height="28" viewBox="0 0 22 28" style="position:absolute;left:0;top:0"><path d="M2 2v19l5-4 3.5 8 3.5-1.6L10.6 16H17z" fill="#000" stroke="#fff" stroke-width="1.6"/></svg>' +
        '<div id="film-caption" style="position:absolute;left:22%;bottom:14px;transform:translateX(-50%);padding:7px 16px;border-radius:8px;background:#111d;color:#fff;font:500 17px Inter Variable,sans-serif;white-space:nowrap"></div>';
      document.body.append(layer);
    });
    await this.#point(this.#at.x, this.#at.y);
  }

  async caption(text: string): Promise<void> {
    await this.#page.evaluate((words) => {
      const caption = document.getElementById("film-caption");
      if (caption === null) return;
      caption.textContent = words;
      caption.hidden = words === "";
    }, text);
  }

  /** One frame that stays for so long. */
  async hold(milliseconds: number): Promise<void> {
    const name = `${this.#durations.length}`.padStart(4, "0");
    await this.#page.screenshot({ path: `${this.#folder}/${name}.png`, animations: "disabled" });
    this.#durations.push(milliseconds);
  }

  /** The pointer goes to the middle of an element. */
  async moveTo(target: Locator): Promise<void> {
    await target.scrollIntoViewIfNeeded();
    const box = await target.boundingBox();
    if (box === null) throw new Error("what the pointer should go to is not on the page");
    const [x, y] = [box.x + Math.min(box.width / 2, 90), box.y + box.height / 2];
    const from = this.#at;
    for (let step = 1; step <= STEPS; step += 1) {
      const share = step / STEPS;
      const eased = share * share * (3 - 2 * share);
      await this.#point(from.x + (x - from.x) * eased, from.y + (y - from.y) * eased);
      await this.hold(STEP_MS);
    }
    await this.#page.mouse.move(x, y);
  }

  async click(target: Locator): Promise<void> {
    await this.moveTo(target);
    await this.hold(250);
    await target.click();
  }

  /** Types a few letters at a time. */
  async type(into: Locator, text: string): Promise<void> {
    for (let end = 4; end < text.length + 4; end += 4) {
      await into.fill(text.slice(0, end));
      await this.hold(80);
    }
  }

  /** Writes the film. Raises where Python, its Pillow or the size refuses. */
  end(film: string): void {
    writeFileSync(`${this.#folder}/durations.json`, JSON.stringify(this.#durations));
    const made = spawnSync(PYTHON, [ASSEMBLE, this.#folder, film], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
  }

  async #point(x: number, y: number): Promise<void> {
    this.#at = { x, y };
    await this.#page.evaluate(
      ([left, top]) => {
        const pointer = document.getElementById("film-pointer");
        if (pointer !== null) pointer.style.transform = `translate(${left}px, ${top}px)`;
      },
      [x, y] as const,
    );
  }
}
