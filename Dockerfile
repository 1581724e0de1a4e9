# The server with its page, for a CPU; docs/usage.md ("In containers") says how to run it.

FROM node:22-slim AS page
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --ignore-scripts
COPY frontend ./
RUN npm run build

FROM python:3.12-slim
# PyTorch's default package brings CUDA; its index of CPU packages is given here.
ARG PIP_EXTRA_INDEX_URL=
WORKDIR /srv/explorer
COPY backend/requirements.txt backend/
RUN pip install --no-cache-dir --only-binary :all: -r backend/requirements.txt
COPY LICENSE ./
COPY backend/run.py backend/
COPY backend/app backend/app
COPY backend/client backend/client
COPY backend/embedded_model backend/embedded_model
COPY --from=page /build/dist frontend/dist
RUN useradd --uid 10001 --create-home explorer && install --directory --owner explorer --mode 700 /models /data

# Other machines reach a container, so the server does not start without the file of tokens.
ENV EXPLORER_HOST=0.0.0.0 \
    EXPLORER_PORTS=8000 \
    EXPLORER_TOKENS_FILE=/data/people \
    EXPLORER_DATABASE=sqlite:////data/conversations.db \
    EXPLORER_MODELS_DIR=/models \
    HF_HOME=/models/huggingface \
    PYTHONPATH=/srv/explorer/backend/client \
    PYTHONUNBUFFERED=1
USER explorer
VOLUME ["/models", "/data"]
EXPOSE 8000
# A model may be downloaded first. Health answers 503 until it is loaded.
HEALTHCHECK --start-period=15m --interval=15s --timeout=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/api/health', timeout=8)"]
CMD ["python", "backend/run.py"]
