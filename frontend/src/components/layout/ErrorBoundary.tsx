import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "@/components/ui/Button";

interface ErrorBoundaryProps {
  readonly children: ReactNode;
}

interface ErrorBoundaryState {
  readonly error: Error | null;
  readonly where: string;
}

/** Where a defect of the page ends up: it says so, keeps the rest alive and gives the details to copy. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null, where: "" };

  static getDerivedStateFromError(error: unknown): Partial<ErrorBoundaryState> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(_error: unknown, info: ErrorInfo): void {
    this.setState({ where: info.componentStack ?? "" });
  }

  override render(): ReactNode {
    const { error, where } = this.state;
    if (error === null) return this.props.children;
    return (
      <div role="alert" className="m-auto max-w-lg space-y-3 p-6">
        <h2 className="text-title font-semibold">This part of the page has failed</h2>
        <p className="text-muted">It is a defect of the page, not of the model or of your text.</p>
        <pre className="max-h-48 overflow-auto rounded-control bg-sunken p-3 font-mono text-cell">
          {error.message}
          {where}
        </pre>
        <Button onClick={() => this.setState({ error: null, where: "" })}>Show it again</Button>
      </div>
    );
  }
}
