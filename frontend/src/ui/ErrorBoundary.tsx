import clsx from "clsx";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import { PartNotLoaded } from "./lazyPart";

interface ErrorBoundaryProps {
  readonly children: ReactNode;
  /** For what opens over the page: the failure is a card over it as well, and this closes both. */
  readonly onClose?: () => void;
}

interface ErrorBoundaryState {
  readonly error: Error | null;
  readonly where: string;
}

const NONE: ErrorBoundaryState = { error: null, where: "" };

/** Catches a defect of a part of the page: says so, keeps the rest alive and gives the details to copy. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = NONE;

  static getDerivedStateFromError(error: unknown): Partial<ErrorBoundaryState> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(_error: unknown, info: ErrorInfo): void {
    this.setState({ where: info.componentStack ?? "" });
  }

  readonly showAgain = (): void => {
    if (this.state.error instanceof PartNotLoaded) this.state.error.askAgain();
    this.setState(NONE);
  };

  readonly close = (): void => {
    this.showAgain();
    this.props.onClose?.();
  };

  override render(): ReactNode {
    const { error, where } = this.state;
    const { children, onClose } = this.props;
    if (error === null) return children;
    return (
      <div
        role="alert"
        className={clsx(
          "max-w-lg min-w-0 space-y-3 p-6",
          onClose === undefined
            ? "m-auto"
            : "fixed right-4 bottom-4 z-popover rounded-control border border-line bg-raised shadow-float max-sm:left-4",
        )}
      >
        {error instanceof PartNotLoaded ? (
          <>
            <h2 className="text-title font-semibold">This part of the page could not be loaded</h2>
            <p className="text-muted">
              The server does not answer, or it was updated since the page was opened. Reloading the page
              keeps what is saved and ends a reply that is still running.
            </p>
          </>
        ) : (
          <>
            <h2 className="text-title font-semibold">This part of the page has failed</h2>
            <p className="text-muted">It is a defect of the page, not of the model or of your text.</p>
          </>
        )}
        <pre className="max-h-48 overflow-auto rounded-control bg-sunken p-3 font-mono text-cell">
          {error.message}
          {where}
        </pre>
        <div className="flex flex-wrap items-center gap-2">
          {error instanceof PartNotLoaded ? (
            <>
              <Button look="primary" icon="redo" onClick={this.showAgain}>
                Try again
              </Button>
              <Button onClick={() => window.location.reload()}>Reload the page</Button>
            </>
          ) : (
            <Button onClick={this.showAgain}>Show it again</Button>
          )}
          {onClose !== undefined && (
            <Button look="quiet" onClick={this.close}>
              Close
            </Button>
          )}
          <CopyButton label="Copy the details" text={() => detailsOf(error, where)} />
        </div>
      </div>
    );
  }
}

/** For a report: what, where in the code, where in the page, and in which browser. */
const detailsOf = (error: Error, where: string): string =>
  [
    `${error.name}: ${error.message}`,
    error.stack ?? "",
    `Components:${where}`,
    window.location.href,
    navigator.userAgent,
  ].join("\n\n");
