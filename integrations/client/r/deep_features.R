# Deep features of DICOM zips as a data.frame, from a gateway of triton-deep-features.
#
#   source("deep_features.R")
#   frame <- deep_features(c("a.zip", "b.zip"), "https://gateway.example", Sys.getenv("TOKEN"))
#
# or, for a CSV file (exit code 1 if a study gave no rows):
#
#   DEEP_FEATURES_URL=… DEEP_FEATURES_TOKEN=… Rscript deep_features.R features.csv a.zip b.zip
#
# Needs httr2 and jsonlite. Ran with R 4.2.2, httr2 0.2.2 and jsonlite 1.8.4.

library(httr2)

# Labels that become columns; a row of the service has many more.
LABELS <- c("patient_id", "study_uid", "series_uid", "modality", "roi",
            "weights_sha256", "preprocessing_id")

RETRY_SECONDS <- 120

# Stop with a condition of the class deep_features_error; code is stable, sentence is for people.
deep_features_stop <- function(code, sentence, status = NA_integer_) {
  message <- paste0(code, ": ", sentence)
  stop(structure(
    class = c(code, "deep_features_error", "error", "condition"),
    list(message = message, call = NULL, code = code, sentence = sentence, status = status)
  ))
}

# The request of one study. The file is not read into memory.
features_request <- function(zip, url, token, model, options, seconds) {
  request <- request(url) |>
    req_url_path_append("api", "models", model, "features") |>
    req_headers(Accept = "application/json") |>
    req_auth_bearer_token(token) |>
    req_body_file(zip, type = "application/zip") |>
    req_timeout(seconds) |>
    req_error(is_error = \(response) FALSE)
  do.call(req_url_query, c(list(request), options))
}

# The answer to a request that is made anew for each try: 429 and 503 are tried again when Retry-After
# says, for RETRY_SECONDS. (req_retry of httr2 0.2.2 does not read the file again, and hangs.)
answer_of <- function(request) {
  end <- Sys.time() + RETRY_SECONDS
  repeat {
    asked <- request()
    response <- tryCatch(
      req_perform(asked),
      error = \(error) deep_features_stop("unreachable", "no answer came: see the address")
    )
    if (!resp_status(response) %in% c(429, 503)) return(response)
    pause <- resp_retry_after(response)
    pause <- if (is.na(pause)) 5 else max(pause, 0.1)
    if (Sys.time() + pause > end) return(response)
    Sys.sleep(pause)
  }
}

# Rows of one zip. options: those of a request, as list(regions = "whole").
features_of_zip <- function(zip, url, token, model = "ct3dcnn", options = list(), seconds = 600) {
  if (!file.exists(zip)) deep_features_stop("no_file", "there is no such file")
  options <- modifyList(list(preview = "false"), options)
  response <- answer_of(\() features_request(zip, url, token, model, options, seconds))
  content <- tryCatch(
    # Rows differ in their labels: lists, not a table that jsonlite makes up.
    resp_body_json(response, check_type = FALSE, simplifyVector = FALSE),
    error = \(error) list()
  )
  if (resp_status(response) != 200 || is.null(content$rows)) {
    deep_features_stop(
      if (is.null(content$code)) "bad_answer" else content$code,
      if (is.null(content$detail)) "this is not the service" else content$detail,
      resp_status(response)
    )
  }
  frames <- lapply(content$rows, row_frame, names = unlist(content$feature_names))
  do.call(rbind, frames)
}

# One row: labels, then features.
row_frame <- function(row, names) {
  labels <- lapply(row[LABELS], \(value) if (is.null(value)) NA_character_ else value)
  features <- setNames(as.list(as.numeric(unlist(row$features))), names)
  as.data.frame(c(setNames(labels, LABELS), features), check.names = FALSE)
}

# Rows of several zips. One that is refused is told of by a warning, and stops no other; all that
# were are in attr(frame, "refused"), a data.frame of zip, code and sentence.
deep_features <- function(zips, url, token, ...) {
  refused <- data.frame(zip = character(), code = character(), sentence = character())
  frames <- list()
  for (zip in zips) {
    answer <- tryCatch(features_of_zip(zip, url, token, ...), deep_features_error = identity)
    if (inherits(answer, "deep_features_error")) {
      warning(zip, ": ", conditionMessage(answer), call. = FALSE)
      refused[nrow(refused) + 1, ] <- list(zip, answer$code, answer$sentence)
    } else {
      frames[[length(frames) + 1]] <- answer
    }
  }
  frame <- do.call(rbind, frames)
  versions <- unique(frame[c("weights_sha256", "preprocessing_id")])
  if (!is.null(frame) && nrow(versions) > 1) {
    deep_features_stop("mixed_versions", "rows are of several versions: extract all again")
  }
  if (is.null(frame)) frame <- data.frame()
  structure(frame, refused = refused)
}

if (sys.nframe() == 0) {
  arguments <- commandArgs(trailingOnly = TRUE)
  frame <- deep_features(
    arguments[-1], Sys.getenv("DEEP_FEATURES_URL"), Sys.getenv("DEEP_FEATURES_TOKEN")
  )
  write.csv(frame, arguments[1], row.names = FALSE)
  quit(status = as.integer(nrow(attr(frame, "refused")) > 0))
}
