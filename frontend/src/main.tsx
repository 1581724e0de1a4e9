import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { surviveTranslation } from "./lib/translation";
import "./styles/app.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root element");
surviveTranslation(document.body);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
